// A model file + a test split → accuracy, size, latency, through the code that serves.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { mean, quantileSorted } from 'simple-statistics';
import { channelCount } from '../../inference/card.js';
import { openSession, type Session } from '../../inference/session.js';
import type { Dataset, Split } from '../datasets/dataset.js';
import { classifySplit, tensorReader } from './classify.js';
import { EvaluationError } from './errors.js';
import type { Evaluation } from './report.js';
import type { Target } from './targets.js';

export interface EvaluateOptions {
  readonly onProgress?: (images: number) => void;
}

const latencyRuns = 500;

export async function evaluateModel(
  file: string,
  target: Pick<Target, 'input' | 'output' | 'labels'>,
  test: Split,
  { onProgress }: EvaluateOptions = {},
): Promise<Evaluation> {
  checkSplit(file, target, test);
  const model = await readFile(file);
  const session = await openSession(model, { input: target.input });
  try {
    const { categories, seconds } = await classifySplit(session, target, test, onProgress);
    const correct = categories.filter((category, i) => category === test.labels[i]).length;
    return {
      bytes: model.byteLength,
      sha256: createHash('sha256').update(model).digest('hex'),
      accuracy: correct / test.count,
      images: test.count,
      latencyMs: await measureLatency(session, target, test),
      imagesPerSecond: test.count / seconds,
    };
  } finally {
    await session.release();
  }
}

/** @throws EvaluationError when answers would be counted against other labels, or in another order. */
export function checkLabels(
  { folder, labels }: Pick<Target, 'folder' | 'labels'>,
  dataset: Pick<Dataset, 'labels'>,
): void {
  const same =
    labels.length === dataset.labels.length && labels.every((label, i) => label === dataset.labels[i]);
  if (same) return;
  throw new EvaluationError(
    `${folder}: tells ${labels.join(', ')} apart, the dataset holds ${dataset.labels.join(', ')}`,
  );
}

function checkSplit(file: string, { input }: Pick<Target, 'input'>, test: Split): void {
  const { width, height, channels } = test;
  if (width === input.width && height === input.height && channels === channelCount(input)) return;
  throw new EvaluationError(
    `${file}: takes ${input.width}x${input.height} ${input.channels} images, the dataset has ` +
      `${width}x${height} with ${channels} channels`,
  );
}

async function measureLatency(
  session: Session,
  { input }: Pick<Target, 'input'>,
  test: Split,
): Promise<Evaluation['latencyMs']> {
  const tensors = tensorReader(test, input);
  const times: number[] = [];
  for (let i = 0; i < latencyRuns; i++) {
    const image = tensors(i % test.count, 1);
    const began = performance.now();
    await session.run(image, 1);
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  return { mean: mean(times), p50: quantileSorted(times, 0.5), p95: quantileSorted(times, 0.95) };
}
