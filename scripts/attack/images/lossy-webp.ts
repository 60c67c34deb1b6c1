// a size → a lossy WebP of one gray, by sharp: its bytes are those of the installed version.
import sharp from 'sharp';

/** @param width and height up to 16,383 */
export async function lossyWebp(width: number, height: number): Promise<Buffer> {
  const create = { width, height, channels: 3, background: { r: 128, g: 128, b: 128 } } as const;
  return await sharp({ create, limitInputPixels: false }).webp({ quality: 50, effort: 0 }).toBuffer();
}
