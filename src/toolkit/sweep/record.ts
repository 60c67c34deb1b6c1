// the input of a sweep and the results of its runs ⇄ sweep.json.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { exists, writeJsonAtomic } from '../files.js';
import type { Recipe } from '../training/recipe/recipe.js';
import { SweepError } from './errors.js';
import type { SweepRun } from './grid.js';

export interface SweepResult extends SweepRun {
  /** Accuracy of the exported float32.onnx on the test split. */
  readonly accuracy: number;
  readonly valAccuracy?: number;
  /** Accuracy on the training images in the last epoch. */
  readonly loss: number;
  readonly seconds: number;
}

export interface SweepRecord {
  /** The recipe, without the values of a single run. */
  readonly recipe: Recipe;
  readonly datasetSha256: string;
  /** The results, in the order in which the runs ended. */
  readonly results: readonly SweepResult[];
}

const recordFile = (folder: string) => path.join(folder, 'sweep.json');

/** @throws SweepError if the folder holds a sweep of another recipe or dataset. */
export async function beginRecord(
  folder: string,
  recipe: Recipe,
  datasetSha256: string,
  replace: boolean,
): Promise<SweepRecord> {
  const fresh: SweepRecord = { recipe, datasetSha256, results: [] };
  if (replace || !(await exists(recordFile(folder)))) {
    await writeRecord(folder, fresh);
    return fresh;
  }
  const known = await readRecord(folder);
  if (isDeepStrictEqual(known.recipe, recipe) && known.datasetSha256 === datasetSha256) return known;
  throw new SweepError(
    `${folder} already holds a sweep with other values or images: use those values, add --force to start again, or choose another folder with --run <folder>`,
  );
}

/** @throws SweepError if there is no record, or it is damaged. */
async function readRecord(folder: string): Promise<SweepRecord> {
  const file = recordFile(folder);
  try {
    return JSON.parse(await readFile(file, 'utf8')) as SweepRecord;
  } catch (cause) {
    throw new SweepError(`${file}: holds no record of a sweep: ${(cause as Error).message}`, { cause });
  }
}

export async function writeRecord(folder: string, record: SweepRecord): Promise<void> {
  await writeJsonAtomic(recordFile(folder), record);
}
