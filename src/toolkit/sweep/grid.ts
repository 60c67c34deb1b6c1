// gradients, orders, activations and seeds → the runs of a sweep, each with a name.
import type { Binarisation } from '../architectures/binarisation.js';

export type Setting = Pick<Binarisation, 'signGradient' | 'blockOrder' | 'activations'>;

export interface Grid {
  readonly signGradients: readonly Binarisation['signGradient'][];
  readonly blockOrders: readonly Binarisation['blockOrder'][];
  readonly activations: readonly Binarisation['activations'][];
  readonly seeds: readonly number[];
}

export interface SweepRun extends Setting {
  readonly seed: number;
}

/** Every setting, each with its values in the order of the grid. */
export function settingsOf({ activations, signGradients, blockOrders }: Omit<Grid, 'seeds'>): Setting[] {
  return activations.flatMap((activation) =>
    signGradients.flatMap((signGradient) =>
      blockOrders.map((blockOrder) => ({ signGradient, blockOrder, activations: activation })),
    ),
  );
}

/** All settings with the first seed, then with the next one, so that a stopped sweep has results for each setting. */
export function runsOf(grid: Grid): SweepRun[] {
  const settings = settingsOf(grid);
  return grid.seeds.flatMap((seed) => settings.map((setting) => ({ ...setting, seed })));
}

export function runName({ signGradient, blockOrder, activations, seed }: SweepRun): string {
  return `${activations}-${signGradient}-${blockOrder}-${seed}`;
}
