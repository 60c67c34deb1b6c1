// Sample images + variants → the golden entries of a card, by the code that serves.

import { scoresToConfidences } from '../../inference/category.js';
import { decodeImage } from '../../inference/image/decode.js';
import { createTensor, createTensorWriter } from '../../inference/image/tensor.js';
import type { Card } from '../../inference/models/card.js';
import { openSession } from '../../inference/workers/session.js';
import type { Target } from '../evaluation/targets.js';
import type { Sample } from './samples.js';
/** Runs each variant on the samples, and returns its confidences. */

export async function goldenEntries(
  samples: readonly Sample[],
  target: Pick<Target, 'input' | 'output' | 'labels' | 'variants'>,
): Promise<Card['golden']> {
  const perVariant = new Map<string, number[][]>();
  for (const [variant, file] of target.variants) {
    perVariant.set(variant, await confidencesOf(file, samples, target));
  }
  return samples.map(({ file }, i) => ({
    file: `golden/${file}`,
    confidences: Object.fromEntries([...perVariant].map(([variant, rows]) => [variant, rows[i] ?? []])),
  }));
}

async function confidencesOf(
  file: string,
  samples: readonly Sample[],
  { input, output, labels }: Pick<Target, 'input' | 'output' | 'labels'>,
): Promise<number[][]> {
  const session = await openSession(file, { input });
  const write = createTensorWriter(input);
  const rows: number[][] = [];
  try {
    for (const { png } of samples) {
      const pixels = await decodeImage(png, input, { maxPixels: input.width * input.height });
      const tensor = createTensor(input, 1);
      write(pixels.data, tensor, 0);
      const scores = await session.run(tensor, 1);
      rows.push(scoresToConfidences(scores, output, labels.length).map((value) => Number(value.toFixed(6))));
    }
    return rows;
  } finally {
    await session.release();
  }
}
