// A split and the order of its images → batches of tensors, by the code that serves.

import type { InputContract } from '../../inference/card.js';
import { createTensorWriter, tensorLength } from '../../inference/tensor.js';
import type { Split } from '../datasets/dataset.js';

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

/** Batch `index` of the images in `order`: the last one holds what is left. */
export type BatchReader = (order: Uint32Array, index: number) => Batch;

export function createBatchReader(split: Split, input: InputContract, batchSize: number): BatchReader {
  const write = createTensorWriter(input);
  const values = tensorLength(input);
  const pixels = split.height * split.width * split.channels;
  return (order, index) => {
    const chosen = order.subarray(index * batchSize, (index + 1) * batchSize);
    const images = new Float32Array(chosen.length * values);
    const labels = new BigInt64Array(chosen.length);
    chosen.forEach((image, i) => {
      write(split.images.subarray(image * pixels, (image + 1) * pixels), images, i * values);
      labels[i] = BigInt(split.labels[image] ?? 0);
    });
    return { images, labels, count: chosen.length };
  };
}
