// Step → learning rate.

import { withDefaults } from '../../value-schema.js';
import { CosineSchedule, OneCycleSchedule, type Schedule, StepSchedule } from './settings.js';

export interface RunProgress {
  /** The index of the step, from 0 to `steps` - 1. */
  readonly step: number;
  readonly steps: number;
  readonly stepsPerEpoch: number;
}

/** Returns the rate of a step. `learningRate` is the recipe's, and the highest rate of every schedule. */
export function learningRateAt(schedule: Schedule, learningRate: number, progress: RunProgress): number {
  switch (schedule.kind) {
    case 'constant':
      return learningRate;
    case 'step':
      return learningRate * stepFactor(schedule, progress);
    case 'cosine':
      return learningRate * cosineFactor(schedule, progress);
    case 'one-cycle':
      return learningRate * oneCycleFactor(schedule, progress);
  }
}

/** factor^n, where n is the number of milestones that have passed. */
function stepFactor(schedule: StepSchedule, { step, stepsPerEpoch }: RunProgress): number {
  const { factor, milestones = [], every } = withDefaults(StepSchedule, schedule);
  const passed = (epoch: number) => step >= Math.round(epoch * stepsPerEpoch);
  const falls =
    every === undefined ? milestones.filter(passed).length : Math.floor(step / (every * stepsPerEpoch));
  return factor ** falls;
}

/** (step + 1) / w while warming up for w steps, then (1 + cos(pi (step - w) / (steps - w))) / 2. */
function cosineFactor(schedule: CosineSchedule, { step, steps, stepsPerEpoch }: RunProgress): number {
  const { warmupEpochs } = withDefaults(CosineSchedule, schedule);
  const warmup = Math.round(warmupEpochs * stepsPerEpoch);
  return step < warmup ? (step + 1) / warmup : halfCosine(1, 0, (step - warmup) / (steps - warmup));
}

/**
 * With top = rise * steps - 1: from 1 / startDivisor to 1 over the steps 0…top, from there to
 * 1 / (startDivisor endDivisor) at the last step, each along half a cosine.
 */
function oneCycleFactor(schedule: OneCycleSchedule, { step, steps }: RunProgress): number {
  const { rise, startDivisor, endDivisor } = withDefaults(OneCycleSchedule, schedule);
  const top = rise * steps - 1;
  const start = 1 / startDivisor;
  return step < top
    ? halfCosine(start, 1, step / top)
    : halfCosine(1, start / endDivisor, (step - top) / (steps - 1 - top));
}

/** to + (from - to) (1 + cos(pi part)) / 2. */
function halfCosine(from: number, to: number, part: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * part))) / 2;
}
