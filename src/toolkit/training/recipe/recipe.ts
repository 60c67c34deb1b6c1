// The input of a training run: network, dataset, optimiser, schedule, seed. It is plain data, so it can be stored and sent to a thread.
import { type Static, Type } from '#typebox';
import { InputContract } from '../../../inference/image/contract.js';
import { Binarisation } from '../../architectures/binarisation.js';
import type { Architecture } from '../../architectures/layers.js';
import { Augmentation } from '../../augmentation/schema.js';
import { anyInteger, fraction, positive, positiveInteger } from '../../value-schema.js';
import {
  BackboneSettings,
  defaultLoss,
  EarlyStopping,
  Loss,
  OptimiserSettings,
  Schedule,
} from './settings.js';

/** Values of the whole training. */
export const trainingValues = {
  epochs: positiveInteger({ description: 'passes over the training images' }),
  batchSize: positiveInteger({ description: 'images per step' }),
  validationSplit: fraction({
    description: 'fraction of the training images that is reserved for validation',
  }),
  seed: anyInteger({
    description:
      'determines the first weights, the validation split, the order of images and the augmentation',
  }),
};

/** Values of each step, for every optimiser and schedule. */
export const stepValues = {
  learningRate: positive({ description: 'the highest rate of the schedule' }),
  clipNorm: Type.Optional(
    positive({
      description:
        'shorten the gradient of all parameters together to at most this length; no limit if absent',
    }),
  ),
};

export const Recipe = Type.Object({
  name: Type.String(),
  title: Type.String({ description: 'One line of text. It becomes the title of the model’s card.' }),
  dataset: Type.String({ description: 'The name of the dataset’s folder in data/.' }),
  architecture: Type.Unsafe<Architecture>(
    Type.Object(
      {},
      { description: 'The whole network; with a backbone, the head that receives its features.' },
    ),
  ),
  binarisation: Type.Optional(Binarisation),
  backbone: Type.Optional(BackboneSettings),
  input: InputContract,
  augmentation: Type.Optional(Augmentation),
  loss: Type.Optional(Loss),
  optimiser: OptimiserSettings,
  schedule: Schedule,
  earlyStopping: Type.Optional(EarlyStopping),
  ...trainingValues,
  ...stepValues,
});
export type Recipe = Static<typeof Recipe>;

export function lossOf({ loss = defaultLoss }: Recipe): Loss {
  return loss;
}

/** The number of labels for a number of logits. */
export function labelsOf(recipe: Recipe, logits: number): number {
  return lossOf(recipe).kind === 'sigmoid' && logits === 1 ? 2 : logits;
}
