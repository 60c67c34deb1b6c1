// What a training run is told: network, data, schedule, seed. Plain data, so that it can be stored and sent to a worker.
import type { InputContract } from '../../../inference/image/contract.js';
import type { Architecture } from '../../architectures/layers.js';
import type { Binarisation } from '../../architectures/lenet5.js';
import type { Augmentation } from '../../augmentation/augmentation.js';
import type { EarlyStopping } from '../run/early-stopping.js';
import { defaultLoss, type Loss } from '../step/losses.js';
import { createOptimiser, type Optimiser, type OptimiserSettings } from '../step/optimisers.js';
import type { BackboneSettings } from './backbone-settings.js';
import { checkRecipe } from './checks.js';
import { overrideRecipe, type RecipeOverrides } from './overrides.js';
import type { Schedule } from './schedules.js';

export type { RecipeOverrides } from './overrides.js';

export interface Recipe {
  readonly name: string;
  /** One line for people; becomes the card's title. */
  readonly title: string;
  /** The dataset's folder name below data/, as `quati dataset prepare` makes it. */
  readonly dataset: string;
  /** All of the network; or, with a backbone, the head that takes its features for an image. */
  readonly architecture: Architecture;
  /** Of a binarised architecture: what it was built by. */
  readonly binarisation?: Binarisation;
  readonly backbone?: BackboneSettings;
  /** Goes into the card: training, calibration, evaluation and serving all read pixels by it. */
  readonly input: InputContract;
  /** Of the training images, anew in each epoch; left out, they are trained on as they are. */
  readonly augmentation?: Augmentation;
  /** Default: softmax, without label smoothing. */
  readonly loss?: Loss;
  readonly optimiser: OptimiserSettings;
  readonly learningRate: number;
  readonly schedule: Schedule;
  /** A longer gradient, over all parameters together, is shortened to this; left out, none is. */
  readonly clipNorm?: number;
  readonly batchSize: number;
  readonly epochs: number;
  /** The part of the training images that is held back to validate on, 0…1. */
  readonly validationSplit: number;
  /** Left out, all epochs are trained and the last one's weights exported. */
  readonly earlyStopping?: EarlyStopping;
  readonly seed: number;
}

/** @throws RecipeError naming the value that makes no sense, or that the recipe has no place for. */
export function resolveRecipe(recipe: Recipe, overrides: RecipeOverrides): Recipe {
  const resolved = overrideRecipe(recipe, overrides);
  checkRecipe(resolved);
  return resolved;
}

export function optimiserOf({ optimiser, clipNorm }: Recipe): Optimiser {
  return createOptimiser(optimiser, clipNorm);
}

export function lossOf({ loss = defaultLoss }: Recipe): Loss {
  return loss;
}

/** How many labels so many logits tell apart. */
export function labelsOf(recipe: Recipe, logits: number): number {
  return lossOf(recipe).kind === 'sigmoid' && logits === 1 ? 2 : logits;
}
