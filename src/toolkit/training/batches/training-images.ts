// a dataset and a recipe → the images of a run: those for training, those for validation, and their batches.
import type { Dataset } from '../../datasets/dataset.js';
import { RecipeError } from '../../errors.js';
import { createRandom, permutation } from '../../random.js';
import type { Recipe } from '../recipe/recipe.js';
import { type BatchSource, createBatchSource } from './batch-source.js';
import { type BatchReader, createBatchReader } from './batches.js';

export interface TrainingImages {
  readonly source: BatchSource;
  /** Indices into what `source` reads. */
  readonly training: Uint32Array;
  readonly readValidation: BatchReader;
  /** Indices into what `readValidation` reads. */
  readonly validation: Uint32Array;
  /** The number of labels. */
  readonly labels: number;
}

/**
 * Validation uses all validation images of the dataset, or else a seeded choice of the training images.
 * @throws RecipeError if the recipe monitors the validation and there are no validation images.
 */
export function holdBack(
  { train, validation: own }: Pick<Dataset, 'train' | 'validation'>,
  { seed, validationSplit, earlyStopping }: Recipe,
): Pick<TrainingImages, 'training' | 'validation'> {
  const order = permutation(train.count, createRandom(seed, 'validation split'));
  const held = own ? 0 : Math.floor(train.count * validationSplit);
  if (earlyStopping && (own?.count ?? held) === 0) {
    throw new RecipeError(
      `earlyStopping: needs ${earlyStopping.monitor}, but no image is reserved for validation: raise validationSplit`,
    );
  }
  return {
    validation: own ? Uint32Array.from({ length: own.count }, (_, i) => i) : order.subarray(0, held),
    training: order.subarray(held),
  };
}

/** @param threads that augment in advance; 0: the caller's thread augments. */
export function imagesOf(dataset: Dataset, recipe: Recipe, threads = 0): TrainingImages {
  const { train, validation } = dataset;
  const { input, batchSize, seed, augmentation } = recipe;
  return {
    ...holdBack(dataset, recipe),
    source: createBatchSource({ split: train, input, batchSize, seed, augmentation, threads }),
    readValidation: createBatchReader(validation ?? train, input, batchSize),
    labels: dataset.labels.length,
  };
}
