// quati evaluate: runs, published models or ONNX files → the figures of each variant, as tables and plots.
import path from 'node:path';
import { Command } from 'commander';
import type { Dataset, Split } from '../toolkit/datasets/dataset.js';
import { describeDataset, loadDataset } from '../toolkit/datasets/load.js';
import { EvaluationError } from '../toolkit/evaluation/errors.js';
import { type EvaluateTargetOptions, evaluateTarget } from '../toolkit/evaluation/evaluate-target.js';
import { drawReinked, type Reinked } from '../toolkit/evaluation/reinked.js';
import { type Evaluation, type Report, readReport, writeReport } from '../toolkit/evaluation/report.js';
import {
  mergeSummaries,
  readSummary,
  type Summary,
  summaryName,
  writeSummary,
} from '../toolkit/evaluation/summary.js';
import { resolveTargets, type Target } from '../toolkit/evaluation/targets.js';
import { exists } from '../toolkit/files.js';
import { writeOverview, writeVariantResults } from '../toolkit/plots/evaluation.js';
import { latestRun, readRun, recordCommand } from '../toolkit/training/run/run-folder.js';
import { commandLine, positiveInteger } from './command-line.js';
import { addForeignFlags, type ForeignFlags, foreignOptions } from './foreign-flags.js';
import type { CliIo } from './io.js';
import { measurePeakRss } from './peak-rss.js';
import { createProgress } from './progress.js';
import { formatTable } from './table.js';

interface EvaluateFlags extends ForeignFlags {
  data?: string;
  out: string;
  pictures: boolean;
  memory: boolean;
  reinked?: number;
  json?: boolean;
}

type Overrides = Pick<EvaluateTargetOptions, 'speedBudgetMs'>;

/** @param overrides for tests, which need no exact speeds. */
export function evaluateCommand(io: CliIo, overrides: Overrides = {}): Command {
  const command = new Command('evaluate')
    .description(
      'measure accuracy, size, latency and memory of each variant on the test images, with the serving code',
    )
    .argument(
      '[models...]',
      'runs, published models, ONNX files or folders of them (default: the latest run)',
    )
    .option('--data <folder>', 'the prepared dataset (default: the one of its training)')
    .option('--out <folder>', 'the folder for <dataset>/', 'results')
    .option('--no-pictures', 'write only the summary, without reports and plots')
    .option('--no-memory', 'do not measure the memory of a serving process')
    .option(
      '--reinked <n>',
      'also test n test images, drawn as dark ink on photographed paper',
      positiveInteger,
    )
    .option('--json', 'print the figures as JSON');
  return addForeignFlags(command)
    .addHelpText('after', examples)
    .action((models: string[], flags: EvaluateFlags) => runEvaluate(models, flags, io, overrides));
}

const examples = `
Writes <out>/<dataset>/evaluation_summary.csv and .json, accuracy_latency.png, README.md, and for each variant a folder with its
classification report, confusion matrix, surest mistakes and reliability. What was measured there before stays.

Examples:
  $ quati evaluate
  $ quati evaluate runs/mnist-cnn models/mnist/1
  $ quati evaluate runs/mnist-* --data data/mnist --reinked 2000
  $ quati evaluate exported/ --data data/cifar10 --mean 0.49,0.48,0.45 --std 0.25,0.24,0.26`;

export async function runEvaluate(
  models: readonly string[],
  flags: EvaluateFlags,
  io: CliIo,
  overrides: Overrides = {},
): Promise<void> {
  const chosen = models.length > 0 ? models : [await latestRun()];
  const load = datasetLoader(flags.data);
  const redraw = reinkedDrawer(flags.reinked);
  const reports: Record<string, Report> = {};
  const summaries = new Map<string, Summary>();
  for (const target of await findTargets(chosen, flags)) {
    const dataset = await load(target);
    const folder = path.join(flags.out, dataset.name);
    const report = await evaluateTarget(target, dataset, {
      ...overrides,
      reinked: await redraw(dataset.test),
      step: (title, total, run) => withProgress(io, title, total, run),
      ...(flags.memory && { peakRss: (_, file) => measurePeakRss(file, target, dataset.test) }),
      ...(flags.pictures && {
        onAnswers: async (variant, answers) => {
          await writeVariantResults(folder, variant, target, dataset, answers);
        },
      }),
    });
    if (target.isRun) await keepReport(target, report);
    summaries.set(folder, await addToSummary(folder, target, report));
    reports[target.isRun ? target.folder : keyOf(target)] = report;
    if (!flags.json) io.stdout.write(describeReport(target, report));
  }
  if (flags.pictures) for (const [folder, summary] of summaries) await writeOverview(folder, summary);
  if (flags.json) io.stdout.write(`${JSON.stringify(reports, null, 2)}\n`);
  else
    io.stdout.write(
      [...summaries.keys()].map((folder) => `${path.join(folder, summaryName)}.csv\n`).join(''),
    );
}

/** Finds all models before the first measurement, so that a wrong path fails at once. */
async function findTargets(models: readonly string[], flags: EvaluateFlags): Promise<Target[]> {
  const foreign = foreignOptions(flags, async () => {
    if (flags.data !== undefined) return (await describeDataset(flags.data)).labels;
    throw new EvaluationError(
      'A model without run or card needs --data <dataset>: the images to measure it on',
    );
  });
  const targets: Target[] = [];
  for (const given of models) targets.push(...(await resolveTargets(given, foreign)));
  return targets;
}

/** A folder with a card holds the variants of one model. In another folder each file is a model. */
function keyOf({ folder, dataset, variants }: Target): string {
  const [file = folder] = variants.values();
  return dataset === undefined ? file : folder;
}

/** Reads the same images only once. */
function datasetLoader(data: string | undefined): (target: Target) => Promise<Dataset> {
  const loaded = new Map<string, Promise<Dataset>>();
  return (target) => {
    const folder = data ?? target.dataset;
    if (folder === undefined)
      throw new EvaluationError(`${keyOf(target)}: its training dataset is unknown: give --data <dataset>`);
    const key = JSON.stringify([folder, target.input, target.skipBad]);
    const known = loaded.get(key) ?? loadDataset(folder, target);
    loaded.set(key, known);
    return known;
  };
}

const reinkedSeed = 1;

/** Draws the same images only once. */
function reinkedDrawer(count: number | undefined): (test: Split) => Promise<Reinked[]> | undefined {
  const drawn = new Map<Split, Promise<Reinked[]>>();
  return (test) => {
    if (count === undefined) return undefined;
    const known = drawn.get(test) ?? drawReinked(test, { count, seed: reinkedSeed });
    drawn.set(test, known);
    return known;
  };
}

/** Variants that were not measured now keep their figures, if those come from the same images. */
async function keepReport({ folder }: Target, report: Report): Promise<void> {
  await recordCommand(folder, 'evaluate', commandLine());
  const before = await readReport(folder).catch(() => undefined);
  const kept = before?.dataset.sha256 === report.dataset.sha256 ? before.variants : {};
  await writeReport(folder, { ...report, variants: { ...kept, ...report.variants } });
}

async function addToSummary(folder: string, target: Target, { dataset, variants }: Report): Promise<Summary> {
  const commands = target.isRun ? [...(await readRun(target.folder)).commands] : [commandLine()];
  const rows = [...target.variants].flatMap(([variant, file]) => {
    const evaluation = variants[variant];
    return evaluation ? [{ model: target.name, variant, file, commands, evaluation }] : [];
  });
  const before = (await exists(path.join(folder, `${summaryName}.json`)))
    ? await readSummary(folder)
    : undefined;
  const summary = mergeSummaries(before, { dataset, rows });
  await writeSummary(folder, summary);
  return summary;
}

async function withProgress<T>(
  io: CliIo,
  title: string,
  total: number,
  run: (onProgress: (images: number) => void) => Promise<T>,
): Promise<T> {
  const progress = createProgress(io.stderr, { title, total, inPipe: 'nothing' });
  try {
    return await run((images) => progress.update(images));
  } finally {
    progress.stop();
  }
}

function describeReport(target: Target, { dataset, variants }: Report): string {
  const rows = Object.entries(variants).map(([variant, evaluation]) => row(variant, evaluation));
  const [any] = Object.values(variants);
  const title = `${keyOf(target)}: ${any?.images ?? 0} test images of ${dataset.name}, one thread\n`;
  const header = [
    'variant',
    'bytes',
    'accuracy',
    '95 %',
    'p50 ms',
    'p95 ms',
    'images/s at batch 32',
    'peak MB',
  ];
  const reinked = Object.entries(variants).flatMap(([variant, evaluation]) =>
    evaluation.reinked
      ? [`${variant}: ${percent(evaluation.reinked.accuracy)} of ${evaluation.reinked.images} re-inked\n`]
      : [],
  );
  return title + formatTable([header, ...rows]) + reinked.join('');
}

function row(variant: string, evaluation: Evaluation): string[] {
  const { bytes, accuracy, accuracyInterval, latencyMs, imagesPerSecond, peakRssBytes } = evaluation;
  return [
    variant,
    String(bytes),
    percent(accuracy),
    `${(100 * accuracyInterval.low).toFixed(2)}…${(100 * accuracyInterval.high).toFixed(2)}`,
    latencyMs.p50.toFixed(3),
    latencyMs.p95.toFixed(3),
    imagesPerSecond.toFixed(0),
    peakRssBytes === undefined ? '' : (peakRssBytes / 1e6).toFixed(0),
  ];
}

function percent(part: number): string {
  return `${(part * 100).toFixed(2)} %`;
}
