// a StepRunner and images → epochs: shuffle, step, validate, record. It can stop between two steps, and returns its position.

import { createRandom, permutation } from '../../random.js';
import { batchCount } from '../batches/batches.js';
import type { TrainingImages } from '../batches/training-images.js';
import type { DivergedError } from '../errors.js';
import type { Recipe } from '../recipe/recipe.js';
import { learningRateAt } from '../recipe/schedules.js';
import { diverged } from '../step/divergence.js';
import type { StepRunner } from '../step/step-runner.js';
import type { Checkpoint, Position } from './checkpoint.js';
import { bestEpoch, isPatienceOver } from './early-stopping.js';
import type { EpochRecord } from './history.js';
import { createTally } from './tally.js';

export interface StepProgress {
  /** Starts at 1. */
  readonly epoch: number;
  readonly batch: number;
  readonly batches: number;
  /** The loss of this step alone. */
  readonly stepLoss: number;
  /** Means over the epoch so far. */
  readonly loss: number;
  readonly accuracy: number;
  readonly imagesPerSecond: number;
}

export interface EpochsOptions {
  readonly recipe: Recipe;
  /** The images. Their source is closed at the end. */
  readonly images: TrainingImages;
  readonly runner: StepRunner;
  readonly start: Pick<Checkpoint, 'position' | 'history'>;
  /** Ends the run early, after this total number of steps. */
  readonly maxSteps?: number;
  readonly shouldStop: () => boolean;
  readonly onStep: (progress: StepProgress) => void;
  /** Called after each epoch and when the run is stopped. `isBest`: the recipe keeps the best epoch, and this is the best so far. */
  readonly onCheckpoint: (checkpoint: Checkpoint, isBest: boolean) => Promise<void>;
}

export interface EpochsResult {
  readonly finished: boolean;
  readonly history: readonly EpochRecord[];
}

export const startOfRun: EpochsOptions['start'] = {
  position: { epoch: 0, batch: 0, lossSum: 0, correct: 0, seconds: 0 },
  history: [],
};

export async function runEpochs(options: EpochsOptions): Promise<EpochsResult> {
  try {
    return await runEachEpoch(options, options.images);
  } finally {
    await options.images.source.close();
  }
}

async function runEachEpoch(options: EpochsOptions, images: TrainingImages): Promise<EpochsResult> {
  const { recipe, runner, start } = options;
  const { earlyStopping } = recipe;
  const history = [...start.history];
  let position = start.position;
  const save = async (ended?: EpochRecord) => {
    const state = runner.state();
    checkFinite(runner);
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

/** Checks the weights after the last step, because the loss of a step belongs to the weights before it. */
function checkFinite(runner: StepRunner): void {
  const { parameters, optimiser } = runner.state();
  if ([parameters, ...optimiser].every((vector) => vector.every(Number.isFinite))) return;
  throw divergedIn(runner, 'the weights are not finite numbers');
}

function divergedIn({ state, layout }: StepRunner, what: string): DivergedError {
  return diverged(what, { layout, ...state() });
}

/** Trains from the position to the end of the epoch, or until it must stop. */
async function trainEpoch(options: EpochsOptions, images: TrainingImages, from: Position): Promise<Position> {
  const { recipe, runner } = options;
  const batches = batchCount(images.training.length, recipe.batchSize);
  const shuffled = permutation(images.training.length, createRandom(recipe.seed, 'shuffle', from.epoch));
  const order = shuffled.map((i) => images.training[i] ?? 0);
  const began = performance.now();
  let { batch, lossSum, correct } = from;
  const seconds = () => from.seconds + (performance.now() - began) / 1000;
  for await (const next of images.source.read(order, from.epoch, batch)) {
    if (options.shouldStop() || runner.state().step >= (options.maxSteps ?? Infinity)) break;
    const { step } = runner.state();
    const progress = step / (recipe.epochs * batches);
    const result = await runner.step(next, rateAt(recipe, batches, step), progress);
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

async function recordEpoch(
  options: EpochsOptions,
  images: TrainingImages,
  position: Position,
): Promise<EpochRecord> {
  const { recipe, runner } = options;
  const count = images.training.length;
  return {
    epoch: position.epoch + 1,
    loss: position.lossSum / count,
    accuracy: position.correct / count,
    ...(await validate(runner, images, recipe.batchSize)),
    learningRate: rateAt(recipe, batchCount(count, recipe.batchSize), runner.state().step - 1),
    seconds: Number(position.seconds.toFixed(2)),
    imagesPerSecond: Math.round(count / position.seconds),
  };
}

type Validation = Pick<EpochRecord, 'valLoss' | 'valAccuracy' | 'valPrecision' | 'valRecall'>;

/** Precision and recall exist only for two labels. They belong to the second label, which the output of a sigmoid stands for. */
async function validate(
  runner: StepRunner,
  { readValidation, validation, labels }: TrainingImages,
  batchSize: number,
): Promise<Validation> {
  const count = validation.length;
  if (count === 0) return {};
  let lossSum = 0;
  const tally = createTally();
  for (let index = 0; index < batchCount(count, batchSize); index++) {
    const batch = readValidation(validation, index);
    const result = await runner.evaluate(batch);
    lossSum += result.lossSum;
    tally.add(result.answers, batch.labels);
  }
  if (!Number.isFinite(lossSum)) throw divergedIn(runner, `the validation loss is ${lossSum}`);
  const { correct, precision, recall } = tally.result();
  return {
    valLoss: lossSum / count,
    valAccuracy: correct / count,
    ...(labels === 2 && precision !== undefined && { valPrecision: precision }),
    ...(labels === 2 && recall !== undefined && { valRecall: recall }),
  };
}
