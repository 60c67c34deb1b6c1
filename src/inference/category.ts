// One image's scores → confidences in label order → predictions, highest confidence first.
import { ModelError } from './errors.js';

/** The function from a model's scores to confidences. */
export const outputKinds = ['softmax', 'sigmoid', 'probabilities'] as const;
export type OutputKind = (typeof outputKinds)[number];

export interface Prediction {
  category: string;
  /** 0…1. */
  confidence: number;
}

/**
 * Returns confidences in label order. A single sigmoid output with two labels is the confidence of the second.
 * softmax: `exp(s[i] - max) / sum`; sigmoid: `1 / (1 + exp(-s[i]))`; probabilities: the scores unchanged.
 * @param scores the scores of one image, one per label.
 * @param labels the number of labels in the card.
 * @throws ModelError when the number of scores does not fit the labels, or a score is not a finite number.
 */
export function scoresToConfidences(scores: ArrayLike<number>, output: OutputKind, labels: number): number[] {
  const values = Array.from(scores);
  const broken = values.find((score) => !Number.isFinite(score));
  if (broken !== undefined) throw new ModelError(`Output: expected finite scores, got ${broken}`);
  const confidences = toConfidences[output](values);
  const [only] = confidences;
  if (output !== 'softmax' && labels === 2 && confidences.length === 1 && only !== undefined)
    return [1 - only, only];
  if (confidences.length !== labels)
    throw new ModelError(`Output: expected ${labels} scores, one per label, got ${confidences.length}`);
  return confidences;
}

/** @param confidences in the order of `labels`. Equal confidences stay in that order. */
export function confidencesToPredictions(
  confidences: readonly number[],
  labels: readonly string[],
): Prediction[] {
  return labels
    .map((category, i) => ({ category, confidence: confidences[i] ?? 0 }))
    .sort((a, b) => b.confidence - a.confidence);
}

const toConfidences: Record<OutputKind, (scores: number[]) => number[]> = {
  softmax(scores) {
    const max = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - max));
    const sum = powers.reduce((total, power) => total + power, 0);
    return powers.map((power) => power / sum);
  },
  sigmoid: (scores) => scores.map((score) => 1 / (1 + Math.exp(-score))),
  probabilities: (scores) => scores,
};
