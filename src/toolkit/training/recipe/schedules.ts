// Step → learning rate.

/** Plain data, as a recipe states it; times in epochs may have fractions. */
export type Schedule =
  | { readonly kind: 'constant' }
  /** Times `factor` at each of the milestones, or every so many epochs: torch.optim.lr_scheduler.MultiStepLR, StepLR. */
  | {
      readonly kind: 'step';
      /** Default 0.1. */
      readonly factor?: number;
      /** Epochs after which the rate falls. */
      readonly milestones?: readonly number[];
      /** In place of milestones: falls every so many epochs. */
      readonly every?: number;
    }
  /** Half a cosine from the learning rate down to 0 at the last step (Loshchilov and Hutter, 2017, eq. 5). */
  | {
      readonly kind: 'cosine';
      /** Rises evenly to the learning rate first; default 0. */
      readonly warmupEpochs?: number;
    }
  /** Half a cosine up, then one down (Smith and Topin, 2018): torch.optim.lr_scheduler.OneCycleLR, momentum as it is. */
  | {
      readonly kind: 'one-cycle';
      /** Part of the run that rises, 0…1; default 0.3. */
      readonly rise?: number;
      /** Starts from the learning rate by this; default 25. */
      readonly startDivisor?: number;
      /** Ends at the start's rate by this; default 1e4. */
      readonly endDivisor?: number;
    };

type Of<K extends Schedule['kind']> = Extract<Schedule, { readonly kind: K }>;

export interface RunProgress {
  /** From 0 on, out of `steps`. */
  readonly step: number;
  readonly steps: number;
  readonly stepsPerEpoch: number;
}

/** The rate of a step; `learningRate` is the recipe's, the highest that any schedule reaches. */
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

/** factor^(how many milestones have passed). */
function stepFactor(
  { factor = 0.1, milestones = [], every }: Of<'step'>,
  { step, stepsPerEpoch }: RunProgress,
): number {
  const passed = (epoch: number) => step >= Math.round(epoch * stepsPerEpoch);
  const falls =
    every === undefined ? milestones.filter(passed).length : Math.floor(step / (every * stepsPerEpoch));
  return factor ** falls;
}

/** (step + 1) / w while warming up for w steps, then (1 + cos(pi (step - w) / (steps - w))) / 2. */
function cosineFactor(
  { warmupEpochs = 0 }: Of<'cosine'>,
  { step, steps, stepsPerEpoch }: RunProgress,
): number {
  const warmup = Math.round(warmupEpochs * stepsPerEpoch);
  return step < warmup ? (step + 1) / warmup : halfCosine(1, 0, (step - warmup) / (steps - warmup));
}

/**
 * With top = rise * steps - 1: from 1 / startDivisor to 1 over the steps 0…top, from there to
 * 1 / (startDivisor endDivisor) at the last step, each along half a cosine.
 */
function oneCycleFactor(
  { rise = 0.3, startDivisor = 25, endDivisor = 1e4 }: Of<'one-cycle'>,
  { step, steps }: RunProgress,
): number {
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
