// What a training run is told: network, data, schedule, seed. Plain data, so that it can be stored and sent to a worker.
import type { InputContract } from '../../inference/card.js';
import type { Architecture } from '../architectures/layers.js';
import { RecipeError } from './errors.js';
import { type AdamOptions, adam, type Optimiser } from './optimisers.js';
import type { Schedule } from './schedules.js';

export interface Recipe {
  readonly name: string;
  /** One line for people; becomes the card's title. */
  readonly title: string;
  /** The dataset's folder name below data/, as `quati dataset prepare` makes it. */
  readonly dataset: string;
  readonly architecture: Architecture;
  /** Goes into the card: training, calibration, evaluation and serving all read pixels by it. */
  readonly input: InputContract;
  readonly optimiser: { readonly kind: 'adam' } & AdamOptions;
  readonly learningRate: number;
  readonly schedule: Schedule;
  readonly batchSize: number;
  readonly epochs: number;
  /** The part of the training images that is held back to validate on, 0…1. */
  readonly validationSplit: number;
  readonly seed: number;
}

export type RecipeOverrides = Partial<
  Pick<Recipe, 'epochs' | 'batchSize' | 'learningRate' | 'validationSplit' | 'seed'>
>;

/** @throws RecipeError naming the value that makes no sense. */
export function resolveRecipe(recipe: Recipe, overrides: RecipeOverrides): Recipe {
  const resolved = { ...recipe, ...overrides };
  const check = (name: keyof RecipeOverrides, holds: boolean, expected: string) => {
    if (!holds) throw new RecipeError(`${name}: expected ${expected}, got ${resolved[name]}`);
  };
  check('epochs', Number.isInteger(resolved.epochs) && resolved.epochs > 0, 'a positive integer');
  check('batchSize', Number.isInteger(resolved.batchSize) && resolved.batchSize > 0, 'a positive integer');
  check('learningRate', resolved.learningRate > 0, 'a positive number');
  check(
    'validationSplit',
    resolved.validationSplit >= 0 && resolved.validationSplit < 1,
    'a number in [0, 1)',
  );
  check('seed', Number.isInteger(resolved.seed), 'an integer');
  return resolved;
}

export function optimiserOf(recipe: Recipe): Optimiser {
  return adam(recipe.optimiser);
}
