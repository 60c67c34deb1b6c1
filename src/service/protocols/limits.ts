// a model's input and the settings → how large a body for that model may be, and what its JSON may contain.
import { channelCount } from '../../inference/image/channels.js';
import type { InputContract } from '../../inference/image/contract.js';
import { tensorLength } from '../../inference/image/tensor.js';
import type { Config } from '../config.js';
import type { ConvertLimits } from './json/document.js';
import type { JsonLimits } from './json/reader.js';

/** The shortest text of a float64 has at most 24 characters; a comma and a space follow. */
const bytesPerNumber = 26;
/** The rest of a request: its names, shapes and parameters. */
const restBytes = 64 * 1024;
const restValues = 1024;
/** Tensors of images in lists of objects in lists have a depth of seven. */
const maxDepth = 16;

/** Characters of the `id` of a request, which the response repeats. */
export const maxIdLength = 1024;

/** What may be outside the tensors of a request. */
export const convertLimits: ConvertLimits = { maxValues: restValues, maxTextBytes: 8192 };

export interface BodyLimits extends Pick<Config, 'maxUploadBytes' | 'maxBatch'> {
  maxBodyBytes?: number | undefined;
}

/** Returns the setting; else the JSON of the largest batch as numbers, or the bytes of an upload if that is more. */
export function bodyLimit(
  input: InputContract,
  { maxUploadBytes, maxBodyBytes, maxBatch }: BodyLimits,
): number {
  return (
    maxBodyBytes ?? Math.max(maxUploadBytes, restBytes + bytesPerNumber * maxBatch * tensorLength(input))
  );
}

/** The values of one image more than the largest batch, so that the error about that one names the batch. */
export function jsonLimits(input: InputContract, maxBatch: number): JsonLimits {
  const [outer, middle] =
    input.layout === 'nhwc' ? [input.height, input.width] : [channelCount(input), input.height];
  const lists = 1 + outer + outer * middle;
  return { maxDepth, maxValues: restValues + (maxBatch + 1) * (tensorLength(input) + lists) };
}
