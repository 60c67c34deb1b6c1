// Static int8 convolution in float64, from its definition and without the code under test: integers are exact there.
import { type Array64, array64, conv2d } from './float64-reference.js';

export interface Scaled {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** real = (integer - zeroPoint) * scale over 0…255, 0 being among the reals. */
export function uint8Scale(values: ArrayLike<number>): Scaled {
  const all = Array.from(values);
  const low = Math.min(0, ...all);
  const high = Math.max(0, ...all);
  const scale = (high - low) / 255;
  return { scale, zeroPoint: Math.round(-low / scale) };
}

/**
 * y = saturate(round((sum of (x - zx) * w, plus b) * sx * sw / sy) + zy) with all but the scales integers, as ONNX's QLinearConv.
 * @returns integers 0…255.
 */
export function integerConv(
  x: Array64,
  w: Array64,
  b: Array64,
  { input, output, limit }: { input: Scaled; output: Scaled; limit: number },
): Array64 {
  const [channels = 0] = w.shape;
  const size = w.data.length / channels;
  const weightScales = Array.from({ length: channels }, (_, k) => {
    const channel = w.data.subarray(k * size, (k + 1) * size);
    return Math.max(...channel.map(Math.abs)) / limit;
  });
  const scaleOf = (i: number) => weightScales[Math.floor(i / size)] ?? Number.NaN;
  const integers = {
    x: array64(
      x.shape,
      toUint8(x.data, input).map((value) => value - input.zeroPoint),
    ),
    w: array64(
      w.shape,
      w.data.map((value, i) => Math.round(value / scaleOf(i))),
    ),
    b: array64(
      b.shape,
      b.data.map((value, k) => Math.round(value / (input.scale * (weightScales[k] ?? 0)))),
    ),
  };
  const sums = conv2d(integers.x, integers.w, integers.b);
  const [, , height = 0, width = 0] = sums.shape;
  const channelOf = (i: number) => Math.floor(i / (height * width)) % channels;
  const reals = sums.data.map((sum, i) => sum * input.scale * (weightScales[channelOf(i)] ?? 0));
  return array64(sums.shape, toUint8(reals, output));
}

function toUint8(reals: Float64Array, { scale, zeroPoint }: Scaled): Float64Array {
  return reals.map((real) => Math.min(255, Math.max(0, Math.round(real / scale) + zeroPoint)));
}
