// A model's golden images → undefined if their confidences are those of the card, else a description of the change.
import { join } from 'node:path';
import { scoresToConfidences } from '../category.js';
import type { Generation } from '../workers/generation.js';
import { resultToScores } from '../workers/wire.js';
import { readRegularFile } from './regular-files.js';
import type { StoredModel } from './repository.js';

/** The tolerance for the rounding of other CPUs. An incorrect kernel, scale or file changes confidences much more. */
export const goldenTolerance = 0.02;

export interface GoldenFailure {
  code: 'golden_failed' | 'golden_differs';
  problem: string;
}

const maxGoldenBytes = 64 * 1024 * 1024;

/**
 * Replays the golden images like uploads, on the workers of the model, with the served variant.
 * @throws the errors of `run`.
 */
export async function replayGolden(
  model: StoredModel,
  generation: Pick<Generation, 'run'>,
): Promise<GoldenFailure | undefined> {
  const { card, folder, variant, key } = model;
  for (const { file, confidences } of card.golden) {
    const expected = confidences[variant];
    if (!expected) continue;
    const image = join(folder, file);
    let scores: Float32Array;
    try {
      const bytes = await readRegularFile(image, maxGoldenBytes);
      const result = await generation.run(key, { bytes, wanted: 'golden', deadline: Infinity });
      scores = resultToScores(result);
    } catch (error) {
      const problem = `${image}: this golden image cannot be classified: ${(error as Error).message}`;
      return { code: 'golden_failed', problem };
    }
    const got = scoresToConfidences(scores, card.output, card.labels.length);
    const moved = describeMove(got, expected, card.labels);
    if (moved) return { code: 'golden_differs', problem: `${image} with ${variant}: ${moved}` };
  }
  return undefined;
}

function describeMove(
  got: readonly number[],
  expected: readonly number[],
  labels: readonly string[],
): string | undefined {
  if (expected.length !== labels.length)
    return `the card has ${expected.length} confidences for ${labels.length} labels`;
  const moves = expected.map((value, i) => Math.abs((got[i] ?? Number.NaN) - value));
  const most = moves.indexOf(Math.max(...moves));
  if ((moves[most] ?? Number.NaN) <= goldenTolerance) return undefined;
  const [was, is] = [expected[most], got[most]].map((value) => value?.toFixed(4));
  return `the confidence of ${labels[most]} changed from ${was} to ${is}, allowed is a change of ${goldenTolerance}`;
}
