// History → the best epoch so far, and whether to go on. The history is all there is to remember: a resumed run decides alike.
import type { EpochRecord } from './history.js';

export type Monitor = 'valLoss' | 'valAccuracy';

/** The exported weights are those of the best epoch. Plain data, as a recipe states it. */
export interface EarlyStopping {
  /** What tells epochs apart: the lowest loss or the highest accuracy on the images held back. */
  readonly monitor: Monitor;
  /** Stops after so many epochs in a row that were not better; left out, all epochs are trained. */
  readonly patience?: number;
  /** By how much an epoch has to be better than the best before; default 0. */
  readonly minDelta?: number;
}

/** The best epoch of the history, the first of equals; undefined when there is none, or none was validated. */
export function bestEpoch(
  history: readonly EpochRecord[],
  { monitor, minDelta = 0 }: EarlyStopping,
): EpochRecord | undefined {
  const better = (value: number, than: number) =>
    monitor === 'valLoss' ? value < than - minDelta : value > than + minDelta;
  return history.reduce<EpochRecord | undefined>((best, record) => {
    const value = record[monitor];
    if (value === undefined) return best;
    const known = best?.[monitor];
    return known === undefined || better(value, known) ? record : best;
  }, undefined);
}

export function isPatienceOver(history: readonly EpochRecord[], stopping: EarlyStopping): boolean {
  const best = bestEpoch(history, stopping);
  const last = history.at(-1);
  if (stopping.patience === undefined || !best || !last) return false;
  return last.epoch - best.epoch >= stopping.patience;
}
