// a PNG that already has the contract's size and channels → its pixels, synchronously and without sharp.
import type { InputContract } from './contract.js';
import type { DecodeLimits } from './decode.js';
import { applyDigitRulesToPixels } from './digits.js';
import { unpackPng } from './png.js';

/** Returns the same as decodeImage; undefined for any other image, valid or not. @throws NoInkError */
export function decodeAtOnce(
  bytes: Uint8Array,
  input: InputContract,
  limits: DecodeLimits,
): Uint8Array | undefined {
  if (input.width * input.height > limits.maxPixels) return undefined;
  const pixels = unpackPng(bytes, input);
  return pixels && applyDigitRulesToPixels(pixels, input, limits);
}
