// Images of 0…255 + seed, epoch, index → the same images changed a little. Every change is off unless asked for.

import { RecipeError } from '../errors.js';
import { createRandom } from '../random.js';
import { type Fill, type ImageSize, paintSquare, type ToSource, warp } from './pixels.js';
import { drawTransform, isIdentity, transformToSource } from './transform.js';

/** Plain data, part of a recipe. Each amount is drawn anew, evenly, for every image and epoch. */
export interface Augmentation {
  /** Degrees: turned by up to so many, either way. */
  readonly rotation?: number;
  /** Fraction: drawn larger or smaller by up to so much, 0.1 for 0.9…1.1 times. */
  readonly zoom?: number;
  /** Fraction of width and height: moved by up to so much, every way. */
  readonly shift?: number;
  /** Mirrored, left for right, every other time. */
  readonly flip?: boolean;
  /** Padded by so many pixels on each side, then cut to size again anywhere. */
  readonly crop?: { readonly padding: number };
  /** A square of so many pixels painted over, its centre anywhere; it may reach beyond the border. */
  readonly cutout?: { readonly size: number };
  /** What lies beyond an image's border: a pixel value (default 0), or its edge continued. Cutout paints it, or 0. */
  readonly fill?: Fill;
}

/**
 * Image `index` as it is in that epoch: a function of seed, epoch and index alone, whatever the batch or the thread.
 * @param pixels height x width x channels; left as they are.
 * @returns as many pixels, valid until the next call.
 */
export type Augmenter = (pixels: Uint8Array, epoch: number, index: number) => Uint8Array;

/** Rotation, zoom, shift and flip are one interpolation; the crop is a second one, of whole pixels; cutout comes last. */
export function createAugmenter(config: Augmentation, size: ImageSize, seed: number): Augmenter {
  const fill = config.fill ?? 0;
  const length = size.height * size.width * size.channels;
  const [warped, moved] = [new Uint8Array(length), new Uint8Array(length)];
  return (pixels, epoch, index) => {
    if (pixels.length !== length)
      throw new RangeError(`Augmentation: pixels: expected ${length}, got ${pixels.length}`);
    const transform = drawTransform(config, size, createRandom(seed, 'augmentation', epoch, index));
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

/** Whether it changes anything. */
export function isAugmenting(config: Augmentation = {}): boolean {
  const { rotation = 0, zoom = 0, shift = 0, flip = false, crop, cutout } = config;
  return rotation > 0 || zoom > 0 || shift > 0 || flip || (crop?.padding ?? 0) > 0 || (cutout?.size ?? 0) > 0;
}

/** @throws RecipeError naming the value that makes no sense. */
export function checkAugmentation(config: Augmentation = {}): void {
  const check = (name: string, value: unknown, holds: boolean, expected: string) => {
    if (!holds) throw new RecipeError(`augmentation ${name}: expected ${expected}, got ${value}`);
  };
  const { rotation = 0, zoom = 0, shift = 0, fill = 0 } = config;
  const padding = config.crop?.padding ?? 0;
  const size = config.cutout?.size ?? 0;
  check('rotation', rotation, rotation >= 0 && rotation <= 180, 'degrees, 0…180');
  check('zoom', zoom, zoom >= 0 && zoom < 1, 'a fraction in [0, 1)');
  check('shift', shift, shift >= 0 && shift <= 1, 'a fraction, 0…1');
  check(
    'crop padding',
    padding,
    Number.isInteger(padding) && padding >= 0,
    'pixels, a whole number from 0 on',
  );
  check('cutout size', size, Number.isInteger(size) && size >= 0, 'pixels, a whole number from 0 on');
  const isPixel = typeof fill === 'number' && Number.isInteger(fill) && fill >= 0 && fill <= 255;
  check('fill', fill, fill === 'edge' || isPixel, "0…255 or 'edge'");
}
