// A number → the 16 bits of the nearest IEEE 754 half float. Ties round to even.

export const largestHalf = 65504;

/** Half-way from the largest half float to the next power of two; numbers from here on round to infinity. */
const infinite = 65520;
const mantissaBits = 10;
const smallestNormal = 2 ** -14;
const smallest = 2 ** -24;
const exponentBias = 15;

/** 1 sign bit, 5 bits of exponent, 10 of mantissa: (1 + m / 1024) 2^(e - 15). Below 2^-14, steps of 2^-24; from 65520 on, infinity. */
export function toHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (Number.isNaN(magnitude)) return 0x7e00;
  if (magnitude >= infinite) return sign | 0x7c00;
  if (magnitude < smallestNormal) return sign | roundHalfToEven(magnitude / smallest);
  const exponent = Math.floor(Math.log2(magnitude));
  const exact = magnitude < 2 ** exponent ? exponent - 1 : exponent;
  // If the mantissa rounds up to 2, the addition carries into the exponent.
  const mantissa = roundHalfToEven((magnitude / 2 ** exact - 1) * 2 ** mantissaBits);
  return sign | (((exact + exponentBias) << mantissaBits) + mantissa);
}

/** Rounds to the nearest integer; ties round to the even one. */
export function roundHalfToEven(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
