// quati evaluate: accuracy, size and latency of each variant of a run or a published model.
import { Command } from 'commander';
import { type Dataset, loadDataset } from '../toolkit/datasets/dataset.js';
import { checkLabels, evaluateModel } from '../toolkit/evaluation/evaluate.js';
import { evaluateReinked } from '../toolkit/evaluation/reinked.js';
import { type Evaluation, type Report, writeReport } from '../toolkit/evaluation/report.js';
import { resolveTarget, type Target } from '../toolkit/evaluation/targets.js';
import { latestRun, recordCommand } from '../toolkit/training/run.js';
import { commandLine, positiveInteger } from './command-line.js';
import type { CliIo } from './io.js';
import { createProgress } from './progress.js';
import { formatTable } from './table.js';

interface EvaluateFlags {
  data?: string;
  reinked?: number;
  json?: boolean;
}

const reinkedSeed = 1;

export function evaluateCommand(io: CliIo): Command {
  return new Command('evaluate')
    .description(
      'measure accuracy, size and latency of each variant on the test images, by the code that serves',
    )
    .argument('[folders...]', 'runs or published models (default: the latest run)')
    .option('--data <folder>', 'the prepared dataset (default: the one it was trained on)')
    .option(
      '--reinked <n>',
      'also test digits drawn as dark ink on photographed paper, of n test images',
      positiveInteger,
    )
    .option('--json', 'print the figures as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ quati evaluate\n  $ quati evaluate runs/mnist-cnn models/mnist/1\n  $ quati evaluate --reinked 2000',
    )
    .action((folders: string[], flags: EvaluateFlags) => runEvaluate(folders, flags, io));
}

export async function runEvaluate(
  folders: readonly string[],
  flags: EvaluateFlags,
  io: CliIo,
): Promise<void> {
  const chosen = folders.length > 0 ? folders : [await latestRun()];
  const reports: Record<string, Report> = {};
  for (const folder of chosen) {
    const target = await resolveTarget(folder);
    const dataset = await loadDataset(flags.data ?? target.dataset, target);
    const report = await evaluateTarget(target, dataset, flags, io);
    if (target.isRun) {
      await recordCommand(folder, 'evaluate', commandLine());
      await writeReport(folder, report);
    }
    reports[folder] = report;
    if (!flags.json) io.stdout.write(describeReport(target, report));
  }
  if (flags.json) io.stdout.write(`${JSON.stringify(reports, null, 2)}\n`);
}

async function evaluateTarget(
  target: Target,
  dataset: Dataset,
  { reinked }: EvaluateFlags,
  io: CliIo,
): Promise<Report> {
  checkLabels(target, dataset);
  const variants: Report['variants'] = {};
  for (const [variant, file] of target.variants) {
    const title = `${target.name} ${variant}`;
    const evaluation = await withProgress(io, title, dataset.test.count, (onProgress) =>
      evaluateModel(file, target, dataset.test, { onProgress }),
    );
    variants[variant] = evaluation;
    if (reinked === undefined) continue;
    const count = Math.min(reinked, dataset.test.count);
    evaluation.reinked = await withProgress(io, `${title} re-inked`, count, (onProgress) =>
      evaluateReinked(file, target, dataset.test, { count, seed: reinkedSeed, onProgress }),
    );
  }
  return {
    dataset: { name: dataset.name, sha256: dataset.sha256 },
    date: new Date().toISOString(),
    variants,
  };
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
  const title = `${target.folder}: ${any?.images ?? 0} test images of ${dataset.name}, one thread\n`;
  const header = ['variant', 'bytes', 'accuracy', 'p50 ms', 'p95 ms', 'images/s at batch 32'];
  const reinked = Object.entries(variants).flatMap(([variant, evaluation]) =>
    evaluation.reinked
      ? [`${variant}: ${percent(evaluation.reinked.accuracy)} of ${evaluation.reinked.images} re-inked\n`]
      : [],
  );
  return title + formatTable([header, ...rows]) + reinked.join('');
}

function row(variant: string, { bytes, accuracy, latencyMs, imagesPerSecond }: Evaluation): string[] {
  return [
    variant,
    String(bytes),
    percent(accuracy),
    latencyMs.p50.toFixed(3),
    latencyMs.p95.toFixed(3),
    imagesPerSecond.toFixed(0),
  ];
}

function percent(part: number): string {
  return `${(part * 100).toFixed(2)} %`;
}
