// the results of each epoch → history.csv and history.json.
import path from 'node:path';
import { writeFileAtomic, writeJsonAtomic } from '../../files.js';

export interface EpochRecord {
  /** Starts at 1. */
  readonly epoch: number;
  /** The phase of a run on a backbone: only the head, on features that were computed once, or the layers of the backbone too. */
  readonly phase?: 'head' | 'fine-tune';
  /** Mean over the training images, during the epoch, while the weights changed. */
  readonly loss: number;
  readonly accuracy: number;
  /** Measured on the validation images after the epoch; absent if there are none. */
  readonly valLoss?: number;
  readonly valAccuracy?: number;
  /** Precision of the second label, if there are two: the fraction of its predictions that is correct. */
  readonly valPrecision?: number;
  /** Recall of the second label: the fraction of its images that got this prediction. */
  readonly valRecall?: number;
  /** The rate of the last step of the epoch. */
  readonly learningRate: number;
  readonly seconds: number;
  readonly imagesPerSecond: number;
}

const columns = [
  'epoch',
  'loss',
  'accuracy',
  'valLoss',
  'valAccuracy',
  'valPrecision',
  'valRecall',
  'learningRate',
  'seconds',
  'imagesPerSecond',
  'phase',
] as const satisfies readonly (keyof EpochRecord)[];

export async function writeHistory(folder: string, history: readonly EpochRecord[]): Promise<void> {
  await writeFileAtomic(path.join(folder, 'history.csv'), historyCsv(history));
  await writeJsonAtomic(path.join(folder, 'history.json'), history);
}

/** One line per epoch. A value that was not measured is empty. */
export function historyCsv(history: readonly EpochRecord[]): string {
  const rows = history.map((record) => columns.map((column) => record[column] ?? '').join());
  return `${[columns.join(), ...rows].join('\n')}\n`;
}
