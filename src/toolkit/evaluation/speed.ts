// Model files + images → the speed of each file. The files take turns, so that other work on the machine affects all of them.
import { mean, quantileSorted } from 'simple-statistics';
import type { TensorValues } from '../../inference/image/tensor.js';
import type { Variant } from '../../inference/models/card.js';
import { openSession, type Session } from '../../inference/workers/session.js';
import type { Split } from '../datasets/dataset.js';
import { checkSplit } from './checks.js';
import { batchSize, tensorReader } from './classify.js';
import type { Evaluation } from './report.js';
import type { Target } from './targets.js';

export type Speed = Pick<Evaluation, 'latencyMs' | 'imagesPerSecond'>;

const [warmUpRounds, fewestRounds, runsPerRound] = [1, 20, 25];

/** Least time for the rounds, in milliseconds. It averages out other work on the machine. */
const defaultBudgetMs = 2000;

/**
 * Measures each file on one thread, in rounds of 25 single images and one batch of 32.
 *
 * There are at least 20 rounds, and more until the budget is spent. A round is long enough for a model to get its weights
 * back into the cache after the others ran.
 *
 * @param budgetMs least time for all files together, in milliseconds.
 * @returns the speed of each file, by its name.
 * @throws EvaluationError if the images do not have the input's size and channels.
 * @throws ModelError if a file is not a model with this input.
 */
export async function measureSpeeds(
  files: ReadonlyMap<string, string>,
  { input }: Pick<Target, 'input'>,
  images: Split,
  budgetMs = defaultBudgetMs,
): Promise<Map<string, Speed>> {
  const clocks: Clock[] = [];
  try {
    for (const [name, file] of files) {
      checkSplit(file, { input }, images);
      clocks.push({ name, session: await openSession(file, { input }), singles: [], batches: [] });
    }
    const tensors = tensorReader(images, input);
    const singles = Array.from({ length: runsPerRound }, (_, i) => tensors(i % images.count, 1));
    const count = Math.min(batchSize, images.count);
    const batch = tensors(0, count);
    const end = performance.now() + budgetMs;
    for (let round = 0; round < warmUpRounds + fewestRounds || performance.now() < end; round++)
      for (const clock of clocks) await runRound(clock, singles, batch, count, round >= warmUpRounds);
    return new Map(clocks.map((clock) => [clock.name, speedOf(clock, count)]));
  } finally {
    for (const { session } of clocks) await session.release();
  }
}

interface Clock {
  readonly name: string;
  readonly session: Session;
  /** Milliseconds for one image, and for one batch. */
  readonly singles: number[];
  readonly batches: number[];
}

async function runRound(
  { session, singles, batches }: Clock,
  images: readonly TensorValues[],
  batch: TensorValues,
  count: number,
  counts: boolean,
): Promise<void> {
  for (const image of images) {
    const took = await millisecondsOf(session, image, 1);
    if (counts) singles.push(took);
  }
  const took = await millisecondsOf(session, batch, count);
  if (counts) batches.push(took);
}

async function millisecondsOf(session: Session, values: TensorValues, count: number): Promise<number> {
  const began = performance.now();
  await session.run(values, count);
  return performance.now() - began;
}

/** Rounds a speed for a card: latency to microseconds, throughput to whole images. */
export function speedForCard({
  latencyMs,
  imagesPerSecond,
}: Speed): Pick<Variant, 'latencyMs' | 'imagesPerSecond'> {
  return { latencyMs: Number(latencyMs.p50.toFixed(3)), imagesPerSecond: Math.round(imagesPerSecond) };
}

function speedOf({ singles, batches }: Clock, count: number): Speed {
  singles.sort((a, b) => a - b);
  batches.sort((a, b) => a - b);
  return {
    latencyMs: {
      mean: mean(singles),
      p50: quantileSorted(singles, 0.5),
      p95: quantileSorted(singles, 0.95),
    },
    imagesPerSecond: (1000 * count) / quantileSorted(batches, 0.5),
  };
}
