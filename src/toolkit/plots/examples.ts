// A test image and a model's answer → an example for a grid of images.
import type { Dataset } from '../datasets/dataset.js';
import type { Target } from '../evaluation/targets.js';
import { encodePng } from '../images/png.js';
import type { Example } from './predictions.js';

export async function answerExample(
  index: number,
  { answer, confidence }: { answer: number; confidence?: number },
  { input, labels }: Pick<Target, 'input' | 'labels'>,
  { test }: Pick<Dataset, 'test'>,
): Promise<Example> {
  const size = test.height * test.width * test.channels;
  const pixels = test.images.subarray(index * size, (index + 1) * size);
  return {
    png: await encodePng(pixels, input),
    truth: labels[test.labels[index] ?? 0] ?? '',
    answer: labels[answer] ?? '',
    ...(confidence !== undefined && { confidence }),
  };
}
