// Pixels → the bytes of a PNG.
import { channelCount } from '../../inference/image/channels.js';
import type { InputContract } from '../../inference/image/contract.js';
import { loadSharp } from '../../inference/image/sharp.js';

/** Encodes an image. @param pixels height x width x channels, 0…255, of the size that `input` states. */
export async function encodePng(
  pixels: Uint8Array,
  input: Pick<InputContract, 'width' | 'height' | 'channels'>,
): Promise<Uint8Array> {
  const raw = { width: input.width, height: input.height, channels: channelCount(input) };
  const sharp = await loadSharp();
  const image = sharp(pixels, { raw });
  return await image
    .toColourspace(input.channels === 'gray' ? 'b-w' : 'srgb')
    .png({ compressionLevel: 9 })
    .toBuffer();
}
