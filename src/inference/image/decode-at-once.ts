// a PNG that has the contract's size and channels already → its pixels, without sharp and without waiting.
import type { InputContract } from './contract.js';
import type { DecodeLimits } from './decode.js';
import { applyDigitRulesToPixels } from './digits.js';
import { unpackPng } from './png.js';

/** What decodeImage gives; undefined for any other image, good or bad. */
export function decodeAtOnce(
  bytes: Uint8Array,
  input: InputContract,
  limits: DecodeLimits,
): Uint8Array | undefined {
  if (input.width * input.height > limits.maxPixels) return undefined;
  const pixels = unpackPng(bytes, input);
  return pixels && applyDigitRulesToPixels(pixels, input);
}
