// pixels of one image, HWC uint8 → its part of a batch, in the layout and type of the model.

import { channelCount } from './channels.js';
import type { InputContract } from './contract.js';

export type TensorValues = Float32Array | Uint8Array;

/**
 * Writes one image's tensor at `offset`.
 * @param pixels height x width x channels, 0…255, as decodeImage returns them.
 * @param out receives channels x height x width values from `offset` on, or height x width x channels if the layout is nhwc.
 * @throws RangeError if `pixels` does not have the contract's size, or `out` has too little space.
 */
export type TensorWriter = (pixels: Uint8Array, out: TensorValues, offset: number) => void;

/** The number of values in the tensor of one image: channels * height * width. */
export function tensorLength(input: Pick<InputContract, 'width' | 'height' | 'channels'>): number {
  return channelCount(input) * input.height * input.width;
}

/** Allocates a tensor for `count` images, in the contract's type. */
export function createTensor(
  input: Pick<InputContract, 'width' | 'height' | 'channels' | 'dataType'>,
  count: number,
): TensorValues {
  const length = count * tensorLength(input);
  return input.dataType === 'uint8' ? new Uint8Array(length) : new Float32Array(length);
}

/** Returns a function that writes `(pixel * scale - mean[c]) / std[c]`, rounded once, to float32. */
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
