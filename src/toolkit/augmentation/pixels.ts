// pixels and a map to their source → new pixels: bilinear sampling, and cutout of a square.

export interface ImageSize {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** The pixel value outside the image, or `edge` to repeat the pixels of the border. */
export type Fill = number | 'edge';

/** [xx, xy, x0, yx, yy, y0]: the pixel at (x, y) comes from (xx x + xy y + x0, yx x + yy y + y0). */
export type ToSource = readonly [number, number, number, number, number, number];

export interface Square {
  /** The upper left corner, which may be outside the image. */
  readonly x: number;
  readonly y: number;
  readonly side: number;
}

/**
 * v = (1 - fy) ((1 - fx) p[y0, x0] + fx p[y0, x1]) + fy ((1 - fx) p[y1, x0] + fx p[y1, x1]), rounded to the nearest;
 * a neighbour outside the image has the value of `fill`. Pixel centres are at whole numbers.
 * @param out another array of the same length.
 */
export function warp(
  pixels: Uint8Array,
  size: ImageSize,
  [xx, xy, x0, yx, yy, y0]: ToSource,
  fill: Fill,
  out: Uint8Array,
): void {
  const { width, height, channels } = size;
  const row = width * channels;
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sourceX = xx * x + xy * y + x0;
      const sourceY = yx * x + yy * y + y0;
      const left = Math.floor(sourceX);
      const top = Math.floor(sourceY);
      if (left < 0 || top < 0 || left + 1 >= width || top + 1 >= height) {
        for (let channel = 0; channel < channels; channel++)
          out[at++] = atBorder(pixels, size, fill, sourceX, sourceY, channel);
        continue;
      }
      const fx = sourceX - left;
      const fy = sourceY - top;
      let i = top * row + left * channels;
      for (const end = i + channels; i < end; i++) {
        const a = pixels[i] as number;
        const b = pixels[i + channels] as number;
        const c = pixels[i + row] as number;
        const d = pixels[i + row + channels] as number;
        out[at++] = blend(a, b, c, d, fx, fy);
      }
    }
  }
}

function atBorder(
  pixels: Uint8Array,
  size: ImageSize,
  fill: Fill,
  sourceX: number,
  sourceY: number,
  channel: number,
): number {
  const x = Math.floor(sourceX);
  const y = Math.floor(sourceY);
  const a = pixelAt(pixels, size, fill, x, y, channel);
  const b = pixelAt(pixels, size, fill, x + 1, y, channel);
  const c = pixelAt(pixels, size, fill, x, y + 1, channel);
  const d = pixelAt(pixels, size, fill, x + 1, y + 1, channel);
  return blend(a, b, c, d, sourceX - x, sourceY - y);
}

/** Interpolates between a, b (upper row) and c, d (lower row). Storing the result in bytes cuts it to a whole number. */
function blend(a: number, b: number, c: number, d: number, fx: number, fy: number): number {
  const upper = a + fx * (b - a);
  const lower = c + fx * (d - c);
  return upper + fy * (lower - upper) + 0.5;
}

function pixelAt(
  pixels: Uint8Array,
  { width, height, channels }: ImageSize,
  fill: Fill,
  x: number,
  y: number,
  channel: number,
): number {
  const outside = x < 0 || y < 0 || x >= width || y >= height;
  if (outside && fill !== 'edge') return fill;
  const row = Math.min(Math.max(y, 0), height - 1);
  const column = Math.min(Math.max(x, 0), width - 1);
  return pixels[(row * width + column) * channels + channel] as number;
}

/** Fills a square in `pixels`. The part of the square outside the image is ignored. */
export function paintSquare(
  pixels: Uint8Array,
  { width, height, channels }: ImageSize,
  { x, y, side }: Square,
  value: number,
): void {
  const [left, right] = [Math.max(0, x), Math.min(width, x + side)];
  for (let line = Math.max(0, y); line < Math.min(height, y + side); line++) {
    if (left < right) pixels.fill(value, (line * width + left) * channels, (line * width + right) * channels);
  }
}
