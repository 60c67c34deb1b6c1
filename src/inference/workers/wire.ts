// Images ↔ one block of memory, which moves to a worker thread without a copy.
import { messageToError } from '../errors.js';
import type { TensorValues } from '../image/tensor.js';
import type { RunnerImage, RunnerResult } from './runner.js';

/** One batch in a message to a worker. */
export interface WorkerTask {
  key: string;
  images: PackedImage[];
  block: ArrayBuffer;
}

interface PackedImage {
  form: 'scores' | 'golden' | 'pixels' | 'floats' | 'bytes';
  /** The position in the block, in bytes. */
  offset: number;
  length: number;
  deadline: number;
}

/** A message to the worker: a batch, or the request to stop. */
export type WorkerOrder = WorkerTask | { end: true };

/** A message from the worker: first that its models are loaded, then the results of each task. */
export type WorkerMessage = { ready: true } | { results: RunnerResult[] };

/**
 * Copies all images into one block, so that the sender still has them if the worker is lost. A view of a pooled Buffer, sent
 * without a copy, would transfer the whole pool.
 */
export function packTask(key: string, images: readonly RunnerImage[]): WorkerTask {
  const packed: PackedImage[] = [];
  let size = 0;
  for (const image of images) {
    const { byteLength: length } = dataOf(image);
    packed.push({
      form: formOf(image),
      offset: size,
      length,
      deadline: image.deadline,
    });
    size += Math.ceil(length / Float32Array.BYTES_PER_ELEMENT) * Float32Array.BYTES_PER_ELEMENT;
  }
  const block = new Uint8Array(size);
  for (const [i, image] of images.entries()) {
    const { buffer, byteOffset, byteLength } = dataOf(image);
    block.set(new Uint8Array(buffer, byteOffset, byteLength), packed[i]?.offset);
  }
  return { key, images: packed, block: block.buffer };
}

export function unpackImages({ images, block }: WorkerTask): RunnerImage[] {
  return images.map(({ form, offset, length, deadline }) => {
    if (form === 'floats')
      return { tensor: new Float32Array(block, offset, length / Float32Array.BYTES_PER_ELEMENT), deadline };
    const bytes = new Uint8Array(block, offset, length);
    return form === 'bytes' ? { tensor: bytes, deadline } : { bytes, wanted: form, deadline };
  });
}

/** @throws the error of the image, if it has no scores. */
export function resultToScores(result: RunnerResult | undefined): Float32Array {
  if (result && 'error' in result) throw messageToError(result.error);
  return result && 'scores' in result ? result.scores : new Float32Array();
}

function formOf(image: RunnerImage): PackedImage['form'] {
  if (!('tensor' in image)) return image.wanted;
  return image.tensor instanceof Float32Array ? 'floats' : 'bytes';
}

function dataOf(image: RunnerImage): TensorValues {
  return 'tensor' in image ? image.tensor : image.bytes;
}
