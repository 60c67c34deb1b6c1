// The parts of a recipe that have kinds, and early stopping: each value with its range, its default and its effect.
import { type Static, Type } from '#typebox';
import {
  fraction,
  notNegative,
  oneOf,
  onOff,
  positive,
  positiveInteger,
  positives,
} from '../../value-schema.js';
import { kind } from './kinds.js';

const adamValues = {
  beta1: Type.Optional(
    fraction({ default: 0.9, description: 'fraction of the mean gradient that each step keeps' }),
  ),
  beta2: Type.Optional(
    fraction({ default: 0.999, description: 'fraction of the mean squared gradient that each step keeps' }),
  ),
  epsilon: Type.Optional(positive({ default: 1e-8, description: 'added to the root of the mean square' })),
};

export const Sgd = kind('sgd', 'stochastic gradient descent: `torch.optim.SGD` with dampening 0', {
  momentum: Type.Optional(
    fraction({ default: 0.9, description: 'fraction of the velocity that the next step keeps' }),
  ),
  nesterov: Type.Optional(
    onOff({
      default: true,
      description: 'compute the gradient one step ahead along the velocity',
      off: 'plain momentum',
    }),
  ),
  weightDecay: Type.Optional(notNegative({ default: 0, description: 'L2 penalty, added to the gradient' })),
});
export type Sgd = Static<typeof Sgd>;

export const Adam = kind('adam', '`torch.optim.Adam`', adamValues);
export type Adam = Static<typeof Adam>;

export const AdamW = kind('adamw', '`torch.optim.AdamW`', {
  ...adamValues,
  weightDecay: Type.Optional(
    notNegative({ default: 0.01, description: 'decoupled: weights shrink before the step' }),
  ),
});
export type AdamW = Static<typeof AdamW>;

export const OptimiserSettings = Type.Union([Sgd, Adam, AdamW]);
export type OptimiserSettings = Static<typeof OptimiserSettings>;

export const StepSchedule = kind('step', 'the rate falls at each milestone: `MultiStepLR`, `StepLR`', {
  milestones: Type.Optional(
    Type.Immutable(
      positives({ argument: 'epochs', description: 'epochs after which the rate falls, such as 10,15' }),
    ),
  ),
  every: Type.Optional(
    positive({
      argument: 'epochs',
      description: 'instead of milestones: the rate falls after every n epochs',
    }),
  ),
  factor: Type.Optional(positive({ default: 0.1, description: 'factor by which the rate falls' })),
});
export type StepSchedule = Static<typeof StepSchedule>;

export const CosineSchedule = kind(
  'cosine',
  'half a cosine from the learning rate down to 0 (Loshchilov and Hutter, 2017, eq. 5)',
  {
    warmupEpochs: Type.Optional(
      notNegative({
        default: 0,
        argument: 'n',
        description: 'epochs at the start in which the rate rises evenly to the learning rate',
      }),
    ),
  },
);
export type CosineSchedule = Static<typeof CosineSchedule>;

export const OneCycleSchedule = kind(
  'one-cycle',
  'half a cosine up, then one down (Smith and Topin, 2018): `OneCycleLR`, momentum unchanged',
  {
    rise: Type.Optional(
      fraction({ default: 0.3, description: 'fraction of the run in which the rate rises' }),
    ),
    startDivisor: Type.Optional(
      positive({ default: 25, description: 'the first rate is the learning rate divided by this' }),
    ),
    endDivisor: Type.Optional(
      positive({ default: 1e4, description: 'the last rate is the first rate divided by this' }),
    ),
  },
);
export type OneCycleSchedule = Static<typeof OneCycleSchedule>;

const ConstantSchedule = kind('constant', 'the learning rate in every step', {});

export const Schedule = Type.Union([ConstantSchedule, StepSchedule, CosineSchedule, OneCycleSchedule]);
export type Schedule = Static<typeof Schedule>;

export const Softmax = kind('softmax', 'one logit per label; one label is correct', {
  labelSmoothing: Type.Optional(
    fraction({ default: 0, description: 'fraction of the target that is spread evenly over all labels' }),
  ),
});

const Sigmoid = kind('sigmoid', 'one logit for two labels: the logarithm of the second label’s odds', {});

/** The meaning of the logits, which defines the loss. */
export const Loss = Type.Union([Softmax, Sigmoid]);
export type Loss = Static<typeof Loss>;

export const defaultLoss: Loss = { kind: 'softmax' };

/** Training exports the weights of the best epoch. */
export const EarlyStopping = Type.Object({
  monitor: oneOf(['valLoss', 'valAccuracy'], {
    default: 'valLoss',
    argument: 'value',
    description:
      'determines the best epoch: the lowest loss or the highest accuracy on the validation images',
  }),
  patience: Type.Optional(
    positiveInteger({
      argument: 'epochs',
      description: 'stop after n epochs in a row without improvement, and export the best',
    }),
  ),
  minDelta: Type.Optional(notNegative({ default: 0, description: 'the smallest improvement that counts' })),
});
export type EarlyStopping = Static<typeof EarlyStopping>;

/** The first phase of a run on a backbone: only the recipe's layers are trained, on features that were computed once. */
export const HeadSettings = Type.Object({
  epochs: positiveInteger({
    default: 40,
    description: 'epochs that train only the head, on features that are computed once',
  }),
  learningRate: positive({ default: 0.005, description: 'learning rate while only the head trains' }),
  batchSize: positiveInteger({ default: 128, description: 'images per step while only the head trains' }),
  views: positiveInteger({
    default: 4,
    description: 'the number of feature sets per training image: one of the original, the others augmented',
  }),
});
export type HeadSettings = Static<typeof HeadSettings>;

/** The pretrained network below a recipe's layers. */
export const BackboneSettings = Type.Object({
  name: Type.String({ description: 'the file’s name without its extension' }),
  sha256: Type.String(),
  features: Type.String({ description: 'the value at which the file’s graph is cut' }),
  fineTune: Type.Integer({
    description: 'the number of last layers that the second phase trains; 0: there is no second phase',
  }),
  head: HeadSettings,
});
export type BackboneSettings = Static<typeof BackboneSettings>;
