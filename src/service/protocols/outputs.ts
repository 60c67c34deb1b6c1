// the images of a batch through the pipeline → the output tensors of the protocols.
import { scoresToConfidences } from '../../inference/category.js';
import type { StoredModel } from '../../inference/models/repository.js';
import type { InferenceInput, Pipeline } from '../../inference/pipeline.js';
import type { Patience } from '../body-room.js';
import { ProblemError } from '../errors.js';

/** One row per image. */
export type OutputRows = Record<string, Float32Array[]>;

/** @returns the rows of `probabilities`, and of `scores` if the model has them. @throws as Pipeline.infer */
export async function inferOutputs(
  pipeline: Pipeline,
  { name, version, card }: StoredModel,
  images: readonly InferenceInput[],
  patience: Patience,
): Promise<OutputRows> {
  const { scores } = await pipeline.infer(images, { model: name, version, ...patience });
  if (images.some((image) => 'tensor' in image) && !scores.every((row) => row.every(Number.isFinite)))
    throw new ProblemError(
      'bad_request',
      `The numbers are out of the range of model ${name}: its scores are not finite`,
    );
  const probabilities = scores.map((row) =>
    Float32Array.from(scoresToConfidences(row, card.output, card.labels.length)),
  );
  return card.output === 'probabilities' ? { probabilities } : { scores, probabilities };
}

/** Returns the shortest decimal that reads back as the same float32: 0.1, not 0.10000000149011612. */
export function shortestFloat(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9));
}
