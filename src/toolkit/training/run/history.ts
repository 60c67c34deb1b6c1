// What each epoch gave → history.csv and history.json.
import path from 'node:path';
import { writeFileAtomic, writeJsonAtomic } from '../../files.js';

export interface EpochRecord {
  /** From 1 on. */
  readonly epoch: number;
  /** Of a run on a backbone: its head alone, on features computed once, or the backbone's layers too. */
  readonly phase?: 'head' | 'fine-tune';
  /** Mean over the training images, while the weights moved. */
  readonly loss: number;
  readonly accuracy: number;
  /** Of the images held back, after the epoch; absent when none were. */
  readonly valLoss?: number;
  readonly valAccuracy?: number;
  /** Of the second label, where there are two: of those called it, the part that is right. */
  readonly valPrecision?: number;
  /** Of those that are it, the part that was found. */
  readonly valRecall?: number;
  /** Of the epoch's last step. */
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

/** A line an epoch; what was not measured is empty. */
export function historyCsv(history: readonly EpochRecord[]): string {
  const rows = history.map((record) => columns.map((column) => record[column] ?? '').join());
  return `${[columns.join(), ...rows].join('\n')}\n`;
}
