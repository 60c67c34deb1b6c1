// Trainer + images → epochs: shuffle, step, validate, record. Stops between two steps and says where it stands.

import type { Dataset } from '../datasets/dataset.js';
import { type BatchSource, createBatchSource } from './batch-source.js';
import { type BatchReader, batchCount, createBatchReader } from './batches.js';
import type { Checkpoint, Position } from './checkpoint.js';
import { bestEpoch, isPatienceOver } from './early-stopping.js';
import { DivergedError, RecipeError } from './errors.js';
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
  /** Threads that augment ahead of the steps; default: 0, the loop's own does. */
  readonly dataThreads?: number;
  readonly shouldStop: () => boolean;
  readonly onStep: (progress: StepProgress) => void;
  /** After each epoch, and when the run is stopped; `isBest` when the recipe keeps the best epoch and this is it so far. */
  readonly onCheckpoint: (checkpoint: Checkpoint, isBest: boolean) => Promise<void>;
}

export interface LoopResult {
  readonly finished: boolean;
  readonly history: readonly EpochRecord[];
}

interface Images {
  readonly source: BatchSource;
  readonly training: Uint32Array;
  readonly readValidation: BatchReader;
  readonly validation: Uint32Array;
}

export const startOfRun: LoopOptions['start'] = {
  position: { epoch: 0, batch: 0, lossSum: 0, correct: 0, seconds: 0 },
  history: [],
};

export async function runLoop(options: LoopOptions): Promise<LoopResult> {
  const images = splitImages(options);
  try {
    return await runEpochs(options, images);
  } finally {
    await images.source.close();
  }
}

async function runEpochs(options: LoopOptions, images: Images): Promise<LoopResult> {
  const { recipe, trainer, start } = options;
  const { earlyStopping } = recipe;
  const history = [...start.history];
  let position = start.position;
  const save = async (ended?: EpochRecord) => {
    const state = trainer.state();
    checkFinite(state);
    const isBest = ended !== undefined && earlyStopping && bestEpoch(history, earlyStopping) === ended;
    await options.onCheckpoint({ recipe, state, position, history: [...history] }, isBest ?? false);
  };
  while (position.epoch < recipe.epochs && !(earlyStopping && isPatienceOver(history, earlyStopping))) {
    position = await trainEpoch(options, images, position);
    if (position.batch < batchCount(images.training.length, recipe.batchSize)) {
      await save();
      return { finished: false, history };
    }
    const ended = await recordEpoch(options, images, position);
    history.push(ended);
    position = { epoch: position.epoch + 1, batch: 0, lossSum: 0, correct: 0, seconds: 0 };
    await save(ended);
  }
  return { finished: true, history };
}

/** A step's loss is that of the weights before it: the last step's own are seen here. */
function checkFinite({ step, parameters, optimiser }: TrainerState): void {
  if ([parameters, ...optimiser].every((vector) => vector.every(Number.isFinite))) return;
  throw diverged(step, 'the weights are no finite numbers');
}

function diverged(step: number, what: string): DivergedError {
  return new DivergedError(`step ${step}: ${what}; a lower learning rate may help`);
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
  for await (const next of images.source.read(order, from.epoch, batch)) {
    if (options.shouldStop() || trainer.state().step >= (options.maxSteps ?? Infinity)) break;
    const { step } = trainer.state();
    const progress = step / (recipe.epochs * batches);
    const result = await trainer.step(next, rateAt(recipe, batches, step), progress);
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
  { readValidation, validation }: Images,
  batchSize: number,
): Promise<StepResult | undefined> {
  if (validation.length === 0) return undefined;
  let [lossSum, correct] = [0, 0];
  for (let batch = 0; batch < batchCount(validation.length, batchSize); batch++) {
    const result = await trainer.evaluate(readValidation(validation, batch));
    lossSum += result.lossSum;
    correct += result.correct;
  }
  if (!Number.isFinite(lossSum)) throw diverged(trainer.state().step, `the validation loss is ${lossSum}`);
  return { lossSum, correct };
}

/** The dataset's own images to validate on, or a seeded choice of the training images, held back. */
function splitImages({ dataset, recipe, dataThreads = 0 }: LoopOptions): Images {
  const { train, validation: own } = dataset;
  const { input, batchSize, seed, augmentation } = recipe;
  const order = permutation(train.count, createRandom(seed, 'validation split'));
  const held = own ? 0 : Math.floor(train.count * recipe.validationSplit);
  if (recipe.earlyStopping && (own?.count ?? held) === 0) {
    throw new RecipeError(
      `earlyStopping: watches ${recipe.earlyStopping.monitor}, but no image is held back: raise validationSplit`,
    );
  }
  return {
    source: createBatchSource({ split: train, input, batchSize, seed, augmentation, threads: dataThreads }),
    readValidation: createBatchReader(own ?? train, input, batchSize),
    validation: own ? Uint32Array.from({ length: own.count }, (_, i) => i) : order.subarray(0, held),
    training: order.subarray(held),
  };
}
