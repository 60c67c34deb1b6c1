// RGB pixels → lines of half blocks: the upper pixel is the foreground's colour, the lower one the background's.
import { Chalk } from 'chalk';
import { QuatiError } from '../inference/errors.js';
import type { InputContract } from '../inference/image/contract.js';
import type { Pixels } from '../inference/image/decode.js';
import type { ColourLevel } from './io.js';

const pictureColumns = 14;

/** Draws two rows of pixels per line; chalk reduces the colours to what `level` can show. */
export function pixelsToLines({ width, height, channels, data }: Pixels, level: ColourLevel): string[] {
  const chalk = new Chalk({ level });
  const colourAt = (x: number, y: number): [number, number, number] => {
    const start = (Math.min(y, height - 1) * width + x) * channels;
    const red = data[start] ?? 0;
    return channels === 1 ? [red, red, red] : [red, data[start + 1] ?? 0, data[start + 2] ?? 0];
  };
  return Array.from({ length: Math.ceil(height / 2) }, (_row, row) =>
    Array.from({ length: width }, (_column, x) =>
      chalk.rgb(...colourAt(x, 2 * row)).bgRgb(...colourAt(x, 2 * row + 1))('▀'),
    ).join(''),
  );
}

const pictureInput: InputContract = {
  width: pictureColumns,
  height: pictureColumns,
  channels: 'rgb',
  fit: 'contain',
  kernel: 'linear',
  scale: 1,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};
const maxPixels = 50_000_000;

/** Returns undefined for bytes that cannot be shown as an image: the server reports that problem. */
export type DrawPicture = (bytes: Uint8Array, level: ColourLevel) => Promise<string[] | undefined>;

/** Loads the decoder before any timing starts, because that takes a while. */
export async function loadPictures(): Promise<DrawPicture> {
  const { decodeImage } = await import('../inference/image/decode.js');
  return async (bytes, level) => {
    try {
      return pixelsToLines(await decodeImage(bytes, pictureInput, { maxPixels }), level);
    } catch (error) {
      if (error instanceof QuatiError) return undefined;
      throw error;
    }
  };
}
