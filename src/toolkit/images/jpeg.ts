// Gray pixels → the bytes of a JPEG.
import { loadSharp } from '../../inference/image/sharp.js';

export interface JpegOptions {
  readonly width: number;
  readonly height: number;
  /** 1…100. */
  readonly quality: number;
}

/** Encodes a gray image. @param pixels height x width, 0…255. */
export async function encodeJpeg(
  pixels: Uint8Array,
  { width, height, quality }: JpegOptions,
): Promise<Uint8Array> {
  const raw = { width, height, channels: 1 } as const;
  const sharp = await loadSharp();
  return await sharp(pixels, { raw }).toColourspace('b-w').jpeg({ quality }).toBuffer();
}
