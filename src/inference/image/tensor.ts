// pixels of one image, HWC uint8 → its place in a batch, in the layout and type that the model takes.

import { channelCount } from './channels.js';
import type { InputContract } from './contract.js';

export type TensorValues = Float32Array | Uint8Array;

/**
 * Writes one image's tensor at `offset`.
 * @param pixels height x width x channels, 0…255, as decodeImage returns them.
 * @param out takes channels x height x width values from `offset` on, or height x width x channels where the layout is nhwc.
 * @throws RangeError when pixels or the room in `out` don't have the contract's size.
 */
export type TensorWriter = (pixels: Uint8Array, out: TensorValues, offset: number) => void;

/** Values in one image's tensor: channels * height * width. */
export function tensorLength(input: Pick<InputContract, 'width' | 'height' | 'channels'>): number {
  return channelCount(input) * input.height * input.width;
}

/** Room for `count` images of the contract's type. */
export function createTensor(
  input: Pick<InputContract, 'width' | 'height' | 'channels' | 'dataType'>,
  count: number,
): TensorValues {
  const length = count * tensorLength(input);
  return input.dataType === 'uint8' ? new Uint8Array(length) : new Float32Array(length);
}

/** A writer of `(pixel * scale - mean[c]) / std[c]`, rounded once, to float32. */
export function createTensorWriter(input: InputContract): TensorWriter {
  const channels = channelCount(input);
  const [start, step] = input.layout === 'nhwc' ? [1, channels] : [input.height * input.width, 1];
  const length = tensorLength(input);
  const tables = Array.from({ length: channels }, (_, c) => lookupTable(input, c));

  return (pixels, out, offset) => {
    if (pixels.length !== length)
      throw new RangeError(`Tensor: pixels: expected ${length}, got ${pixels.length}`);
    if (offset < 0 || offset + length > out.length)
      throw new RangeError(`Tensor: ${length} values at ${offset} do not fit into ${out.length}`);
    for (const [c, table] of tables.entries()) {
      let at = offset + c * start;
      for (let i = c; i < length; i += channels, at += step) out[at] = table[pixels[i] as number] as number;
    }
  };
}

function lookupTable(input: InputContract, channel: number): Float32Array {
  const mean = input.mean[channel] ?? 0;
  const std = input.std[channel] ?? 1;
  return Float32Array.from({ length: 256 }, (_, pixel) => (pixel * input.scale - mean) / std);
}
