// A training split → a seeded choice of its images as tensors, by the serving preprocessing.
import { channelCount, type InputContract } from '../../inference/card.js';
import type { Split } from '../datasets/dataset.js';
import { batchCount, createBatchReader } from '../training/batches.js';
import { createRandom, permutation } from '../training/random.js';
import type { CalibrationBatch } from './calibrate.js';
import { QuantisationError } from './errors.js';

export interface CalibrationChoice {
  /** How many images; all of them when there are fewer. */
  readonly images: number;
  readonly seed: number;
}

const batchSize = 32;

/** @throws QuantisationError when the images are of another size than the model's. */
export function* calibrationBatches(
  split: Split,
  input: InputContract,
  { images, seed }: CalibrationChoice,
): Generator<CalibrationBatch> {
  const { width, height, channels } = split;
  if (width !== input.width || height !== input.height || channels !== channelCount(input)) {
    throw new QuantisationError(
      `the model takes ${input.width}x${input.height} ${input.channels} images, ` +
        `the dataset has ${width}x${height} with ${channels} channels`,
    );
  }
  const chosen = permutation(split.count, createRandom(seed, 'calibration')).subarray(0, images);
  const read = createBatchReader(split, input, batchSize);
  for (let batch = 0; batch < batchCount(chosen.length, batchSize); batch++) yield read(chosen, batch);
}
