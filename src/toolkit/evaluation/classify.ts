// A session + the images of a split → the top label of each and its confidence, by the code that serves.
import { scoresToConfidences } from '../../inference/category.js';
import { applyDigitRulesToPixels } from '../../inference/image/digits.js';
import {
  createTensor,
  createTensorWriter,
  type TensorValues,
  tensorLength,
} from '../../inference/image/tensor.js';
import type { Session } from '../../inference/workers/session.js';
import type { Split } from '../datasets/dataset.js';
import type { Target } from './targets.js';

export type Classifier = Pick<Target, 'input' | 'output' | 'labels'>;

export interface Answers {
  /** Top label of each image, as an index into the labels. */
  readonly categories: Uint8Array;
  /** Confidence of that label, 0…1. */
  readonly confidences: Float32Array;
}

/** Images per batch. */
export const batchSize = 32;

/** Classifies all images of a split. */
export async function classifySplit(
  session: Session,
  target: Classifier,
  split: Split,
  onProgress?: (images: number) => void,
): Promise<Answers> {
  const tensors = tensorReader(split, target.input);
  const categories = new Uint8Array(split.count);
  const confidences = new Float32Array(split.count);
  for (let start = 0; start < split.count; start += batchSize) {
    const count = Math.min(batchSize, split.count - start);
    const scores = await session.run(tensors(start, count), count);
    const width = scores.length / count;
    for (let i = 0; i < count; i++) {
      const surest = surestLabel(scores.subarray(i * width, (i + 1) * width), target);
      categories[start + i] = surest.label;
      confidences[start + i] = surest.confidence;
    }
    onProgress?.(start + count);
  }
  return { categories, confidences };
}

/** @returns an index into the labels, and its confidence. */
export function surestLabel(
  scores: Float32Array,
  { output, labels }: Classifier,
): { label: number; confidence: number } {
  const confidences = scoresToConfidences(scores, output, labels.length);
  const confidence = Math.max(...confidences);
  return { label: confidences.indexOf(confidence), confidence };
}

/** Returns a function that makes a batch of the images `start…start + count - 1`. */
export function tensorReader(
  split: Split,
  input: Target['input'],
): (start: number, count: number) => TensorValues {
  const write = createTensorWriter(input);
  const length = tensorLength(input);
  return (start, count) => {
    const batch = createTensor(input, count);
    for (let i = 0; i < count; i++) {
      const image = split.images.subarray((start + i) * length, (start + i + 1) * length);
      write(applyDigitRulesToPixels(image, input), batch, i * length);
    }
    return batch;
  };
}
