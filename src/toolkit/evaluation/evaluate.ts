// A model file + a test split → accuracy, size, latency, through the code that serves.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { mean, quantileSorted } from 'simple-statistics';
import { channelCount } from '../../inference/card.js';
import { scoresToConfidences } from '../../inference/category.js';
import { applyDigitRulesToPixels } from '../../inference/digits.js';
import { openSession, type Session } from '../../inference/session.js';
import { createTensorWriter, tensorLength } from '../../inference/tensor.js';
import type { Split } from '../datasets/dataset.js';
import { EvaluationError } from './errors.js';
import type { Evaluation } from './report.js';
import type { Target } from './targets.js';

export interface EvaluateOptions {
  readonly onProgress?: (images: number) => void;
}

const batchSize = 32;
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
    const { correct, seconds } = await countCorrect(session, target, test, onProgress);
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

function checkSplit(file: string, { input }: Pick<Target, 'input'>, test: Split): void {
  const { width, height, channels } = test;
  if (width === input.width && height === input.height && channels === channelCount(input)) return;
  throw new EvaluationError(
    `${file}: takes ${input.width}x${input.height} ${input.channels} images, the dataset has ` +
      `${width}x${height} with ${channels} channels`,
  );
}

async function countCorrect(
  session: Session,
  { input, output, labels }: Pick<Target, 'input' | 'output' | 'labels'>,
  test: Split,
  onProgress?: (images: number) => void,
): Promise<{ correct: number; seconds: number }> {
  const tensors = tensorReader(test, input);
  let correct = 0;
  let milliseconds = 0;
  for (let start = 0; start < test.count; start += batchSize) {
    const count = Math.min(batchSize, test.count - start);
    const batch = tensors(start, count);
    const began = performance.now();
    const scores = await session.run(batch, count);
    milliseconds += performance.now() - began;
    const width = scores.length / count;
    for (let i = 0; i < count; i++) {
      const row = scores.subarray(i * width, (i + 1) * width);
      const confidences = scoresToConfidences(row, output, labels.length);
      if (indexOfMax(confidences) === test.labels[start + i]) correct += 1;
    }
    onProgress?.(start + count);
  }
  return { correct, seconds: milliseconds / 1000 };
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

function tensorReader(split: Split, input: Target['input']): (start: number, count: number) => Float32Array {
  const write = createTensorWriter(input);
  const length = tensorLength(input);
  return (start, count) => {
    const batch = new Float32Array(count * length);
    for (let i = 0; i < count; i++) {
      const image = split.images.subarray((start + i) * length, (start + i + 1) * length);
      write(applyDigitRulesToPixels(image, input), batch, i * length);
    }
    return batch;
  };
}

function indexOfMax(values: readonly number[]): number {
  return values.reduce(
    (best, value, i) => (value > (values[best] ?? Number.NEGATIVE_INFINITY) ? i : best),
    0,
  );
}
