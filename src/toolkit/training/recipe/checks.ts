// A recipe → nothing, or an error naming the value that makes no sense.
import { checkAugmentation } from '../../augmentation/augmentation.js';
import { RecipeError } from '../../errors.js';
import type { OptimiserSettings } from '../step/optimisers.js';
import type { Recipe } from './recipe.js';
import type { Schedule } from './schedules.js';

interface Range {
  readonly expected: string;
  holds(value: number): boolean;
}

const positiveInteger: Range = { expected: 'a positive integer', holds: (x) => Number.isInteger(x) && x > 0 };
const integer: Range = { expected: 'an integer', holds: Number.isInteger };
const positive: Range = { expected: 'a positive number', holds: (x) => x > 0 && Number.isFinite(x) };
const notNegative: Range = { expected: 'a number from 0 on', holds: (x) => x >= 0 && Number.isFinite(x) };
const part: Range = { expected: 'a number in [0, 1)', holds: (x) => x >= 0 && x < 1 };

/** @throws RecipeError naming the value. */
export function checkRecipe(recipe: Recipe): void {
  const { loss, optimiser, schedule, earlyStopping, epochs } = recipe;
  check('epochs', epochs, positiveInteger);
  check('batchSize', recipe.batchSize, positiveInteger);
  check('learningRate', recipe.learningRate, positive);
  check('validationSplit', recipe.validationSplit, part);
  check('seed', recipe.seed, integer);
  check('clipNorm', recipe.clipNorm, positive);
  if (loss?.kind === 'softmax') check('labelSmoothing', loss.labelSmoothing, part);
  checkOptimiser(optimiser);
  checkSchedule(schedule, epochs);
  checkAugmentation(recipe.augmentation);
  check('patience', earlyStopping?.patience, positiveInteger);
  check('minDelta', earlyStopping?.minDelta, notNegative);
}

/** A value that is left out has its default. */
function check(name: string, value: number | undefined, { expected, holds }: Range): void {
  if (value !== undefined && !holds(value)) refuse(name, expected, value);
}

function refuse(name: string, expected: string, got: unknown): never {
  throw new RecipeError(`${name}: expected ${expected}, got ${got}`);
}

function checkOptimiser(optimiser: OptimiserSettings): void {
  if (optimiser.kind !== 'adam') check('weightDecay', optimiser.weightDecay, notNegative);
  if (optimiser.kind === 'sgd') {
    check('momentum', optimiser.momentum, part);
    if (optimiser.nesterov && optimiser.momentum === 0) refuse('momentum', 'one above 0 for Nesterov', 0);
  } else {
    check('beta1', optimiser.beta1, part);
    check('beta2', optimiser.beta2, part);
    check('epsilon', optimiser.epsilon, positive);
  }
}

function checkSchedule(schedule: Schedule, epochs: number): void {
  switch (schedule.kind) {
    case 'constant':
      return;
    case 'step': {
      const { milestones, every } = schedule;
      if ((milestones === undefined) === (every === undefined))
        refuse('schedule', 'either milestones or every for step', milestones ? 'both' : 'neither');
      check('factor', schedule.factor, positive);
      check('every', every, positive);
      for (const milestone of milestones ?? []) check('milestones', milestone, positive);
      return;
    }
    case 'cosine': {
      const expected = `a number of epochs in [0, ${epochs})`;
      check('warmupEpochs', schedule.warmupEpochs, { expected, holds: (x) => x >= 0 && x < epochs });
      return;
    }
    case 'one-cycle':
      check('rise', schedule.rise, part);
      check('startDivisor', schedule.startDivisor, positive);
      check('endDivisor', schedule.endDivisor, positive);
  }
}
