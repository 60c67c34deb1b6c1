// Ranges of real numbers → scale and zero point: real = (integer - zeroPoint) * scale.
import { QuantisationError } from './errors.js';
import { roundHalfToEven } from './half.js';

export interface Range {
  readonly min: number;
  readonly max: number;
}

export type ActivationType = 'uint8' | 'int8';

export interface ActivationQuantisation {
  readonly scale: number;
  /** 0…255 for uint8, -128…127 for int8. */
  readonly zeroPoint: number;
}

const lowest: Record<ActivationType, number> = { uint8: 0, int8: -128 };

/**
 * Spreads 256 integers over a range. The range is widened to hold 0, which has to be exact, as padding and Relu produce it.
 * @param where the value, in errors.
 * @throws QuantisationError if the range is not finite.
 */
export function quantiseRange(
  { min, max }: Range,
  where: string,
  type: ActivationType = 'uint8',
): ActivationQuantisation {
  if (!Number.isFinite(min) || !Number.isFinite(max)) {
    throw new QuantisationError(`${where}: expected finite values in calibration, got ${min} to ${max}`);
  }
  const low = Math.min(min, 0);
  const high = Math.max(max, 0);
  const scale = scaleOf((high - low) / 255);
  return { scale, zeroPoint: lowest[type] + Math.round((0 - low) / scale) };
}

export interface WeightQuantisation {
  /** One scale per output channel. */
  readonly scales: Float32Array;
  readonly values: Int8Array;
}

/**
 * Symmetric int8 per output channel: scale = max|w| / limit, or `leastScales` if that is larger.
 * @param weights [channels, ...], row-major.
 * @param limit 127, or 63 for 7 bits: x86 without VNNI adds two products of uint8 and int8 in 16 bits, where 2 * 255 * 63 fits.
 */
export function quantiseWeights(
  weights: Float32Array,
  channels: number,
  limit: number,
  leastScales?: Float32Array,
): WeightQuantisation {
  const size = weights.length / channels;
  const scales = new Float32Array(channels);
  const values = new Int8Array(weights.length);
  for (let channel = 0; channel < channels; channel++) {
    const slice = weights.subarray(channel * size, (channel + 1) * size);
    const largest = slice.reduce((max, weight) => Math.max(max, Math.abs(weight)), 0);
    const scale = scaleOf(Math.max(largest / limit, leastScales?.[channel] ?? 0));
    scales[channel] = scale;
    slice.forEach((weight, i) => {
      // ONNX's QuantizeLinear rounds in the same way.
      values[channel * size + i] = clamp(roundHalfToEven(weight / scale), limit);
    });
  }
  return { scales, values };
}

/** Half of int32's range. The other half is for the sum of products that the bias is added to. */
const largestBias = 2 ** 30;

/** Returns the smallest scale of each channel's weights whose bias fits into int32. Channels with tiny weights have biases too. */
export function leastWeightScales(bias: Float32Array, activationScale: number): Float32Array {
  return bias.map((value) => Math.abs(value) / (activationScale * largestBias));
}

/** Returns the bias as int32, in units of activation scale times weight scale, the unit of their integer product. */
export function quantiseBias(
  bias: Float32Array,
  activationScale: number,
  weightScales: Float32Array,
): Int32Array {
  return Int32Array.from(bias, (value, i) => Math.round(value / (activationScale * (weightScales[i] ?? 1))));
}

/** Rounds a scale to float32, as it is stored. Returns 1 instead of 0, because values are divided by the scale. */
function scaleOf(exact: number): number {
  const scale = Math.fround(exact);
  return scale === 0 ? 1 : scale;
}

function clamp(value: number, limit: number): number {
  return Math.min(Math.max(value, -limit), limit);
}
