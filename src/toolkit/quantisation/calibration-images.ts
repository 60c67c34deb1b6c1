// A training split → a seeded choice of its images as tensors, by the serving preprocessing.
import type { InputContract } from '../../inference/card.js';
import type { Split } from '../datasets/dataset.js';
import { batchCount, createBatchReader } from '../training/batches.js';
import { createRandom, permutation } from '../training/random.js';
import type { CalibrationBatch } from './calibrate.js';

export interface CalibrationChoice {
  /** How many images; all of them when there are fewer. */
  readonly images: number;
  readonly seed: number;
}

const batchSize = 32;

export function* calibrationBatches(
  split: Split,
  input: InputContract,
  { images, seed }: CalibrationChoice,
): Generator<CalibrationBatch> {
  const chosen = permutation(split.count, createRandom(seed, 'calibration')).subarray(0, images);
  const read = createBatchReader(split, input, batchSize);
  for (let batch = 0; batch < batchCount(chosen.length, batchSize); batch++) yield read(chosen, batch);
}
