// A measured run → models/<name>/<version>/ with card, variants and golden images, and samples in imgs/<name>/.
import path from 'node:path';
import { type Card, parseCard, type Variant, type VariantName } from '../../inference/models/card.js';
import type { Dataset } from '../datasets/dataset.js';
import { loadDataset } from '../datasets/load.js';
import { type Report, readReport } from '../evaluation/report.js';
import { speedForCard } from '../evaluation/speed.js';
import { resolveTarget, type Target, variantNames } from '../evaluation/targets.js';
import { sha256Of, writeFileAtomic } from '../files.js';
import { commandsWith, type RunRecord, readRun } from '../training/run/run-folder.js';
import { drawnSamples } from './drawn.js';
import { PublishingError } from './errors.js';
import { goldenEntries } from './golden.js';
import { everyNth, firstSamples, type Sample } from './samples.js';
import { type VersionOptions, versionFolder, writeModel } from './write-model.js';

export interface PublishOptions extends VersionOptions {
  readonly run: string;
  /** The command as typed. The card lists it after the commands that made the run. */
  readonly command: string;
  readonly samplesFolder?: string;
  readonly samplesPerLabel?: number;
  /** Draw golden images and copy no image of the dataset, whose licence may forbid it. */
  readonly drawn?: boolean;
  /** The works that the model was made from, with their licences, one line each. */
  readonly attribution?: readonly string[];
}

export interface Published {
  readonly folder: string;
  readonly card: Card;
  readonly samples: readonly string[];
}

export const goldenImages = 4;

/**
 * Publishes a run, whole or not at all. The model's folder appears last.
 * @throws PublishingError if a variant is newer than its measurement, if the dataset is not the one that the run was trained and
 * measured on, or if the version exists.
 * @throws CardError if the name is not valid for a model.
 */
export async function publish(options: PublishOptions): Promise<Published> {
  const { run, name, samplesFolder = 'imgs', samplesPerLabel = 2 } = options;
  const trained = await readRun(run);
  const record = { ...trained, commands: commandsWith(trained.commands, 'publish', options.command) };
  const target = await resolveTarget(run);
  const report = await readReport(run);
  const dataset = await loadDataset(record.dataset.folder, {
    input: target.input,
    skipBad: record.dataset.skipBad,
  });
  checkDatasets(run, record, report, dataset);
  const folder = await versionFolder(options);
  const samples = options.drawn ? [] : await firstSamples(dataset, target.input, samplesPerLabel);
  const golden = options.drawn
    ? await drawnSamples(target.input, goldenImages)
    : everyNth(samples, goldenImages);
  const card = parseCard(
    await buildCard({ name, record, target, report, golden, attribution: options.attribution ?? [] }),
    path.join(folder, 'card.json'),
  );
  const files = samples.map(({ file }) => path.join(samplesFolder, name, file));
  for (const [i, { png }] of samples.entries()) await writeFileAtomic(files[i] ?? '', png);
  const variants = [...target.variants.values()].map((file) => [path.basename(file), file] as const);
  await writeModel(folder, card, new Map(variants), golden);
  return { folder, card, samples: files };
}

function checkDatasets(run: string, record: RunRecord, report: Report, dataset: Dataset): void {
  const { name, folder, sha256 } = record.dataset;
  if (report.dataset.sha256 !== sha256) {
    throw new PublishingError(
      `${run}: was trained on ${name} in ${folder}, but measured on other images: run quati evaluate ${run}`,
    );
  }
  if (dataset.sha256 !== sha256) {
    throw new PublishingError(
      `${folder}: has changed since ${run} was trained on it: train again, or restore it`,
    );
  }
}

interface CardParts {
  readonly name: string;
  readonly record: RunRecord;
  readonly target: Target;
  readonly report: Report;
  readonly golden: readonly Sample[];
  readonly attribution: readonly string[];
}

/** The default variant is the first of these that exists, else float32. */
const servedFirst: readonly VariantName[] = ['binary', 'int8'];

async function buildCard({ name, record, target, report, golden, attribution }: CardParts): Promise<Card> {
  const { recipe } = record;
  return {
    name,
    title: recipe.title,
    labels: [...target.labels],
    input: target.input,
    output: target.output,
    defaultVariant: servedFirst.find((name) => target.variants.has(name)) ?? 'float32',
    variants: await describeVariants(target, report),
    golden: await goldenEntries(golden, target),
    ...(attribution.length > 0 && { attribution: [...attribution] }),
    provenance: {
      dataset: { name: record.dataset.name, sha256: record.dataset.sha256 },
      recipe: recipe.name,
      seed: recipe.seed,
      epochs: recipe.epochs,
      commands: [...record.commands],
      date: record.started,
      tool: record.tool,
    },
  };
}

async function describeVariants(target: Target, report: Report): Promise<Card['variants']> {
  const variants: Partial<Record<VariantName, Variant>> = {};
  for (const name of variantNames) {
    const file = target.variants.get(name);
    if (file === undefined) continue;
    const measured = report.variants[name];
    const sha256 = await sha256Of(file);
    if (measured?.sha256 !== sha256) {
      throw new PublishingError(`${file} is newer than its measurement: run quati evaluate ${target.folder}`);
    }
    variants[name] = {
      file: path.basename(file),
      bytes: measured.bytes,
      sha256,
      accuracy: measured.accuracy,
      ...speedForCard(measured),
    };
  }
  return variants;
}
