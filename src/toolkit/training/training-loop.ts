// Trainer + images → epochs: shuffle, step, validate, record. Stops between two steps and says where it stands.

import type { Dataset } from '../datasets/dataset.js';
import { type BatchReader, batchCount, createBatchReader } from './batches.js';
import type { Checkpoint, Position } from './checkpoint.js';
import { DivergedError } from './errors.js';
import type { EpochRecord } from './history.js';
import { createRandom, permutation } from './random.js';
import type { Recipe } from './recipe.js';
import { learningRateAt } from './schedules.js';
import type { StepResult, Trainer, TrainerState } from './trainer.js';

export interface StepProgress {
  /** From 1 on. */
  readonly epoch: number;
  readonly batch: number;
  readonly batches: number;
  /** Of this step alone. */
  readonly stepLoss: number;
  /** Means over the epoch so far. */
  readonly loss: number;
  readonly accuracy: number;
  readonly imagesPerSecond: number;
}

export interface LoopOptions {
  readonly recipe: Recipe;
  readonly dataset: Dataset;
  readonly trainer: Trainer;
  readonly start: Pick<Checkpoint, 'position' | 'history'>;
  /** Ends the run early, after this many steps in all. */
  readonly maxSteps?: number;
  readonly shouldStop: () => boolean;
  readonly onStep: (progress: StepProgress) => void;
  /** After each epoch, and when the run is stopped. */
  readonly onCheckpoint: (checkpoint: Checkpoint) => Promise<void>;
}

export interface LoopResult {
  readonly finished: boolean;
  readonly history: readonly EpochRecord[];
}

interface Images {
  readonly read: BatchReader;
  readonly training: Uint32Array;
  readonly validation: Uint32Array;
}

export const startOfRun: LoopOptions['start'] = {
  position: { epoch: 0, batch: 0, lossSum: 0, correct: 0, seconds: 0 },
  history: [],
};

export async function runLoop(options: LoopOptions): Promise<LoopResult> {
  const { recipe, trainer, start } = options;
  const images = splitImages(options.dataset, recipe);
  const history = [...start.history];
  let position = start.position;
  const save = async () => {
    const state = trainer.state();
    checkFinite(state);
    await options.onCheckpoint({ state, position, history: [...history] });
  };
  while (position.epoch < recipe.epochs) {
    position = await trainEpoch(options, images, position);
    if (position.batch < batchCount(images.training.length, recipe.batchSize)) {
      await save();
      return { finished: false, history };
    }
    history.push(await recordEpoch(options, images, position));
    position = { epoch: position.epoch + 1, batch: 0, lossSum: 0, correct: 0, seconds: 0 };
    await save();
  }
  return { finished: true, history };
}

/** A step's loss is that of the weights before it: the last step's own are seen here. */
function checkFinite({ step, parameters, optimiser }: TrainerState): void {
  if ([parameters, ...optimiser].every((vector) => vector.every(Number.isFinite))) return;
  throw new DivergedError(`step ${step}: the weights are no finite numbers; a lower learning rate may help`);
}

/** Trains from the position on, to the epoch's end or to where it was told to stop. */
async function trainEpoch(options: LoopOptions, images: Images, from: Position): Promise<Position> {
  const { recipe, trainer } = options;
  const batches = batchCount(images.training.length, recipe.batchSize);
  const shuffled = permutation(images.training.length, createRandom(recipe.seed, 'shuffle', from.epoch));
  const order = shuffled.map((i) => images.training[i] ?? 0);
  const began = performance.now();
  let { batch, lossSum, correct } = from;
  const seconds = () => from.seconds + (performance.now() - began) / 1000;
  while (batch < batches && !options.shouldStop() && trainer.state().step < (options.maxSteps ?? Infinity)) {
    const result = await trainer.step(
      images.read(order, batch),
      rateAt(recipe, batches, trainer.state().step),
    );
    batch += 1;
    lossSum += result.lossSum;
    correct += result.correct;
    const seen = Math.min(batch * recipe.batchSize, order.length);
    options.onStep({
      epoch: from.epoch + 1,
      batch,
      batches,
      stepLoss: result.lossSum / (seen - (batch - 1) * recipe.batchSize),
      loss: lossSum / seen,
      accuracy: correct / seen,
      imagesPerSecond: seen / seconds(),
    });
  }
  return { epoch: from.epoch, batch, lossSum, correct, seconds: seconds() };
}

function rateAt({ schedule, learningRate, epochs }: Recipe, batches: number, step: number): number {
  return learningRateAt(schedule, learningRate, { step, steps: epochs * batches, stepsPerEpoch: batches });
}

async function recordEpoch(options: LoopOptions, images: Images, position: Position): Promise<EpochRecord> {
  const { recipe, trainer } = options;
  const count = images.training.length;
  const validation = await evaluateAll(trainer, images, recipe.batchSize);
  return {
    epoch: position.epoch + 1,
    loss: position.lossSum / count,
    accuracy: position.correct / count,
    ...(validation && {
      valLoss: validation.lossSum / images.validation.length,
      valAccuracy: validation.correct / images.validation.length,
    }),
    learningRate: rateAt(recipe, batchCount(count, recipe.batchSize), trainer.state().step - 1),
    seconds: Number(position.seconds.toFixed(2)),
    imagesPerSecond: Math.round(count / position.seconds),
  };
}

async function evaluateAll(
  trainer: Trainer,
  { read, validation }: Images,
  batchSize: number,
): Promise<StepResult | undefined> {
  if (validation.length === 0) return undefined;
  let [lossSum, correct] = [0, 0];
  for (let batch = 0; batch < batchCount(validation.length, batchSize); batch++) {
    const result = await trainer.evaluate(read(validation, batch));
    lossSum += result.lossSum;
    correct += result.correct;
  }
  return { lossSum, correct };
}

/** A seeded choice of images to hold back; the rest is trained on. */
function splitImages({ train }: Dataset, recipe: Recipe): Images {
  const order = permutation(train.count, createRandom(recipe.seed, 'validation split'));
  const held = Math.floor(train.count * recipe.validationSplit);
  return {
    read: createBatchReader(train, recipe.input, recipe.batchSize),
    validation: order.subarray(0, held),
    training: order.subarray(held),
  };
}
