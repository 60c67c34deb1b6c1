// a configuration and random numbers → the changes of one image, and the map from its pixels to their source.
import type { Random } from '../random.js';
import type { ImageSize, Square, ToSource } from './pixels.js';
import type { CompleteAugmentation } from './schema.js';

export interface Transform {
  /** Degrees, counter-clockwise on the screen. */
  readonly rotation: number;
  /** The factor by which the image is enlarged. */
  readonly zoom: number;
  /** Pixels, to the right and down. */
  readonly shiftX: number;
  readonly shiftY: number;
  readonly flip: boolean;
  /** The position of the crop: whole pixels from the upper left corner of the unpadded image. */
  readonly cropX: number;
  readonly cropY: number;
  readonly cutout: Square | undefined;
}

/** Draws the same numbers in the same order, whichever changes are enabled. So enabling one change does not affect the others. */
export function drawTransform(
  { rotation, zoom, shift, flip, crop, cutout }: CompleteAugmentation,
  { width, height }: ImageSize,
  random: Random,
): Transform {
  const within = (bound: number) => (2 * random.next() - 1) * bound;
  const whole = (count: number) => Math.floor(random.next() * count);
  const padding = crop?.padding ?? 0;
  const side = cutout?.size ?? 0;
  const drawn = {
    rotation: within(rotation),
    zoom: 1 + within(zoom),
    shiftX: within(shift * width),
    shiftY: within(shift * height),
    flip: random.next() < 0.5 && flip,
    cropX: whole(2 * padding + 1) - padding,
    cropY: whole(2 * padding + 1) - padding,
  };
  const [x, y] = [whole(width), whole(height)].map((centre) => centre - Math.floor(side / 2));
  return { ...drawn, cutout: side > 0 ? { x: x ?? 0, y: y ?? 0, side } : undefined };
}

/** Whether rotation, zoom, shift and flip together do not change the image. */
export function isIdentity({ rotation, zoom, shiftX, shiftY, flip }: Transform): boolean {
  return rotation === 0 && zoom === 1 && shiftX === 0 && shiftY === 0 && !flip;
}

/**
 * The image is mirrored, rotated by a, enlarged by z and shifted by t, all about the centre c:
 *   out = z R F (in - c) + c + t,  F = diag(±1, 1),  R = [[cos a, sin a], [-sin a, cos a]]  (y grows downwards)
 *   in  = F Rᵀ (out - c - t) / z + c
 */
export function transformToSource(
  { rotation, zoom, shiftX, shiftY, flip }: Transform,
  { width, height }: ImageSize,
): ToSource {
  const angle = (rotation * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle) / zoom, Math.sin(angle) / zoom];
  const mirror = flip ? -1 : 1;
  const [centreX, centreY] = [(width - 1) / 2, (height - 1) / 2];
  const [fromX, fromY] = [centreX + shiftX, centreY + shiftY];
  const [xx, xy, yx, yy] = [mirror * cos, -mirror * sin, sin, cos];
  return [xx, xy, centreX - xx * fromX - xy * fromY, yx, yy, centreY - yx * fromX - yy * fromY];
}
