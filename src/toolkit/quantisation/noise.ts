// Values before and after quantisation → signal to noise in decibels. 20 dB means an error of a tenth.
import type { WeightQuantisation } from './parameters.js';

export interface Power {
  signal: number;
  noise: number;
}

export function addPower(power: Power, expected: ArrayLike<number>, actual: ArrayLike<number>): Power {
  let { signal, noise } = power;
  for (let i = 0; i < expected.length; i++) {
    const value = expected[i] ?? 0;
    const error = value - (actual[i] ?? Number.NaN);
    signal += value * value;
    noise += error * error;
  }
  return { signal, noise };
}

/** 10 log10(signal / noise); undefined if there is no noise or no signal. */
export function decibels({ signal, noise }: Power): number | undefined {
  const ratio = 10 * Math.log10(signal / noise);
  return Number.isFinite(ratio) ? ratio : undefined;
}

/** Returns the real numbers that integer weights represent. */
export function dequantiseWeights({ values, scales }: WeightQuantisation): Float32Array {
  const size = values.length / scales.length;
  return Float32Array.from(values, (value, i) => value * (scales[Math.floor(i / size)] ?? 0));
}
