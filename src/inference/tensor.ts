// pixels of one image, HWC uint8 → its place in a batch, NCHW float32.
import { channelCount, type InputContract } from './card.js';

/**
 * Writes one image's tensor at `offset`.
 * @param pixels height x width x channels, 0…255, as decodeImage returns them.
 * @param out takes channels x height x width values from `offset` on.
 * @throws RangeError when pixels or the room in `out` don't have the contract's size.
 */
export type TensorWriter = (pixels: Uint8Array, out: Float32Array, offset: number) => void;

/** Values in one image's tensor: channels * height * width. */
export function tensorLength(input: Pick<InputContract, 'width' | 'height' | 'channels'>): number {
  return channelCount(input) * input.height * input.width;
}

/** A writer of `(pixel * scale - mean[c]) / std[c]`, rounded once, to float32. */
export function createTensorWriter(input: InputContract): TensorWriter {
  const channels = channelCount(input);
  const plane = input.height * input.width;
  const length = tensorLength(input);
  const tables = Array.from({ length: channels }, (_, c) => lookupTable(input, c));

  return (pixels, out, offset) => {
    if (pixels.length !== length)
      throw new RangeError(`Tensor: pixels: expected ${length}, got ${pixels.length}`);
    if (offset < 0 || offset + length > out.length)
      throw new RangeError(`Tensor: ${length} values at ${offset} do not fit into ${out.length}`);
    for (const [c, table] of tables.entries()) {
      let at = offset + c * plane;
      for (let i = c; i < length; i += channels) out[at++] = table[pixels[i] as number] as number;
    }
  };
}

function lookupTable(input: InputContract, channel: number): Float32Array {
  const mean = input.mean[channel] ?? 0;
  const std = input.std[channel] ?? 1;
  return Float32Array.from({ length: 256 }, (_, pixel) => (pixel * input.scale - mean) / std);
}
