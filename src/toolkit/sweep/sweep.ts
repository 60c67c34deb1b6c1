// a recipe and a grid of binarisations → one trained and tested run for each, and their results. A stopped sweep can continue.
import path from 'node:path';
import { openSession } from '../../inference/workers/session.js';
import type { Dataset } from '../datasets/dataset.js';
import { loadDataset } from '../datasets/load.js';
import { classifySplit } from '../evaluation/classify.js';
import { exists } from '../files.js';
import type { Recipe } from '../training/recipe/recipe.js';
import { resolveRecipe } from '../training/recipe/resolve.js';
import { runFolder } from '../training/run/run-folder.js';
import { type TrainOptions, type TrainResult, train } from '../training/run/train.js';
import { type Grid, runName, runsOf, type SweepRun } from './grid.js';
import { beginRecord, type SweepRecord, type SweepResult, writeRecord } from './record.js';

export interface SweepOptions
  extends Pick<TrainOptions, 'threads' | 'portable' | 'command' | 'tool' | 'signal' | 'startThread'> {
  readonly recipe: Recipe;
  readonly grid: Grid;
  readonly datasetFolder: string;
  /** The folder with sweep.json, and one folder per run. */
  readonly folder: string;
  /** Whether to discard the content of the folder. */
  readonly replace?: boolean;
  /** Called before a run, when `done` of `of` runs are finished. */
  readonly onRun?: (run: SweepRun, done: number, of: number) => void;
  readonly onStep?: TrainOptions['onStep'];
  /** Called after each run, with all results so far. */
  readonly onResult?: (result: SweepResult, record: SweepRecord) => Promise<void>;
}

export interface Swept {
  readonly record: SweepRecord;
  /** False if the sweep was stopped before the end of the last run. */
  readonly finished: boolean;
}

/**
 * Runs a sweep.
 * @throws SweepError if the folder holds a sweep of another recipe or dataset.
 * @throws RecipeError if the recipe has no binarisation.
 */
export async function sweep(options: SweepOptions): Promise<Swept> {
  const { folder, grid, onRun, onResult } = options;
  const dataset = await loadDataset(options.datasetFolder, { input: options.recipe.input });
  let record = await beginRecord(folder, options.recipe, dataset.sha256, options.replace ?? false);
  const runs = runsOf(grid);
  for (const [i, run] of runs.entries()) {
    if (record.results.some((result) => runName(result) === runName(run))) continue;
    onRun?.(run, i, runs.length);
    const result = await trainAndTest(run, dataset, options);
    if (!result) return { record, finished: false };
    record = { ...record, results: [...record.results, result] };
    await writeRecord(folder, record);
    await onResult?.(result, record);
  }
  return { record, finished: true };
}

/** @returns undefined if the run was stopped. */
async function trainAndTest(
  run: SweepRun,
  dataset: Dataset,
  options: SweepOptions,
): Promise<SweepResult | undefined> {
  const recipe = resolveRecipe(options.recipe, run);
  const files = runFolder(path.join(options.folder, runName(run)));
  const isBegun = !options.replace && (await exists(files.checkpoint));
  const { threads, portable, command, tool, signal, onStep, startThread } = options;
  const trained = await train({
    recipe,
    datasetFolder: options.datasetFolder,
    runFolder: files.folder,
    existing: isBegun ? 'resume' : 'replace',
    command,
    tool,
    ...(threads !== undefined && { threads }),
    ...(portable !== undefined && { portable }),
    ...(signal && { signal }),
    ...(onStep && { onStep }),
    ...(startThread && { startThread }),
  });
  if (!trained.finished) return undefined;
  const accuracy = await testAccuracy(files.variant('float32'), recipe, dataset);
  return { ...run, accuracy, ...lastEpoch(trained) };
}

function lastEpoch({ history }: TrainResult): Pick<SweepResult, 'loss' | 'valAccuracy' | 'seconds'> {
  const last = history.at(-1);
  return {
    loss: last?.loss ?? Number.NaN,
    ...(last?.valAccuracy !== undefined && { valAccuracy: last.valAccuracy }),
    seconds: Math.round(history.reduce((sum, { seconds }) => sum + seconds, 0)),
  };
}

async function testAccuracy(file: string, { input }: Recipe, { test, labels }: Dataset): Promise<number> {
  const session = await openSession(file, { input });
  const target = { input, labels, output: 'softmax' as const };
  const { categories } = await classifySplit(session, target, test).finally(() => session.release());
  return categories.filter((category, i) => category === test.labels[i]).length / test.count;
}
