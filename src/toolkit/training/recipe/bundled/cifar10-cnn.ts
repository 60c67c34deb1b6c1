// Conv-relu pairs, pools, dropout and dense layers on rotated, zoomed and mirrored images, until the validation loss rises.
import type { InputContract } from '../../../../inference/image/contract.js';
import { cifar10Cnn } from '../../../architectures/cifar10.js';
import type { Recipe } from '../recipe.js';

/** Mean and deviation are those of the 50,000 training images. */
export const cifar10Input: InputContract = {
  width: 32,
  height: 32,
  channels: 'rgb',
  fit: 'cover',
  kernel: 'linear',
  scale: 1 / 255,
  mean: [0.4914, 0.4822, 0.4465],
  std: [0.247, 0.2435, 0.2616],
};

export const cifar10CnnRecipe: Recipe = {
  name: 'cifar10-cnn',
  title: 'Ten kinds of things and animals, the classic network',
  dataset: 'cifar10',
  architecture: cifar10Cnn,
  input: cifar10Input,
  augmentation: { rotation: 10, zoom: 0.1, flip: true, fill: 'edge' },
  optimiser: { kind: 'adam' },
  learningRate: 0.001,
  schedule: { kind: 'cosine', warmupEpochs: 1 },
  batchSize: 128,
  epochs: 40,
  earlyStopping: { monitor: 'valLoss', patience: 10 },
  validationSplit: 0.2,
  seed: 1,
};
