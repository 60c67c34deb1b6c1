// images of 0…255, seed, epoch and index → augmented images. Every change is off by default.

import { createRandom } from '../random.js';
import { type ImageSize, paintSquare, type ToSource, warp } from './pixels.js';
import { type Augmentation, completeAugmentation } from './schema.js';
import { drawTransform, isIdentity, transformToSource } from './transform.js';

/**
 * Returns image `index` for an epoch. It depends only on seed, epoch and index, not on the batch or the thread.
 * @param pixels height x width x channels; they do not change.
 * @returns the same number of pixels, valid until the next call.
 */
export type Augmenter = (pixels: Uint8Array, epoch: number, index: number) => Uint8Array;

/** Rotation, zoom, shift and flip are one interpolation. The crop then moves whole pixels, and cutout comes last. */
export function createAugmenter(augmentation: Augmentation, size: ImageSize, seed: number): Augmenter {
  const complete = completeAugmentation(augmentation);
  const { fill } = complete;
  const length = size.height * size.width * size.channels;
  const [warped, moved] = [new Uint8Array(length), new Uint8Array(length)];
  return (pixels, epoch, index) => {
    if (pixels.length !== length)
      throw new RangeError(`Augmentation: pixels: expected ${length}, got ${pixels.length}`);
    const transform = drawTransform(complete, size, createRandom(seed, 'augmentation', epoch, index));
    let now = pixels;
    const step = (map: ToSource, out: Uint8Array) => {
      warp(now, size, map, fill, out);
      now = out;
    };
    if (!isIdentity(transform)) step(transformToSource(transform, size), warped);
    const { cropX, cropY, cutout } = transform;
    if (cropX !== 0 || cropY !== 0) step([1, 0, cropX, 0, 1, cropY], moved);
    if (cutout === undefined) return now;
    if (now !== moved) moved.set(now);
    paintSquare(moved, size, cutout, fill === 'edge' ? 0 : fill);
    return moved;
  };
}

/** Whether the configuration changes anything. */
export function isAugmenting(augmentation: Augmentation = {}): boolean {
  const { rotation, zoom, shift, flip, crop, cutout } = completeAugmentation(augmentation);
  return rotation > 0 || zoom > 0 || shift > 0 || flip || (crop?.padding ?? 0) > 0 || (cutout?.size ?? 0) > 0;
}
