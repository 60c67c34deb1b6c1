// a history → the best epoch so far, and whether to continue. Nothing else is stored, so a resumed run decides in the same way.
import { withDefaults } from '../../value-schema.js';
import { EarlyStopping } from '../recipe/settings.js';
import type { EpochRecord } from './history.js';

/** The best epoch of the history, the first one if several are equal; undefined if no epoch was validated. */
export function bestEpoch(history: readonly EpochRecord[], stopping: EarlyStopping): EpochRecord | undefined {
  const { monitor, minDelta } = withDefaults(EarlyStopping, stopping);
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
