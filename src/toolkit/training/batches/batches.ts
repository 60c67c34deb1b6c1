// A split and the order of its images → batches of tensors, by the code that serves.

import type { InputContract } from '../../../inference/image/contract.js';
import { createTensorWriter, tensorLength } from '../../../inference/image/tensor.js';
import { createAugmenter, isAugmenting } from '../../augmentation/augmentation.js';
import type { Augmentation } from '../../augmentation/schema.js';
import type { Split } from '../../datasets/dataset.js';

export interface Batch {
  /** [count, C, H, W], flat. */
  readonly images: Float32Array;
  readonly labels: BigInt64Array;
  readonly count: number;
}

/** How many batches `images` images make, the last one possibly smaller. */
export function batchCount(images: number, batchSize: number): number {
  return Math.ceil(images / batchSize);
}

/** Batch `index` of the images in `order`. The last batch holds the remaining images. */
export type BatchReader = (order: Uint32Array, index: number) => Batch;

export function createBatchReader(split: Split, input: InputContract, batchSize: number): BatchReader {
  const make = createBatchMaker({ split, input, seed: 0 });
  return (order, index) => make(batchOf(order, index, batchSize), 0);
}

/** The part of `order` that belongs to batch `index`. */
export function batchOf(order: Uint32Array, index: number, batchSize: number): Uint32Array {
  return order.subarray(index * batchSize, (index + 1) * batchSize);
}

/** Plain data, so that it can be sent to a thread. */
export interface BatchMakerOptions {
  readonly split: Split;
  readonly input: InputContract;
  readonly seed: number;
  readonly augmentation?: Augmentation | undefined;
}

/** Returns the chosen images of an epoch. The result depends only on the arguments and the options. */
export type BatchMaker = (chosen: Uint32Array, epoch: number) => Batch;

export function createBatchMaker({ split, input, seed, augmentation }: BatchMakerOptions): BatchMaker {
  const write = createTensorWriter(input);
  const values = tensorLength(input);
  const pixels = split.height * split.width * split.channels;
  const augment =
    augmentation && isAugmenting(augmentation) ? createAugmenter(augmentation, split, seed) : undefined;
  return (chosen, epoch) => {
    const images = new Float32Array(chosen.length * values);
    const labels = new BigInt64Array(chosen.length);
    chosen.forEach((image, i) => {
      const original = split.images.subarray(image * pixels, (image + 1) * pixels);
      write(augment ? augment(original, epoch, image) : original, images, i * values);
      labels[i] = BigInt(split.labels[image] ?? 0);
    });
    return { images, labels, count: chosen.length };
  };
}
