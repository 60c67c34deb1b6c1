// LeNet-5 with every weight and every activation ±1.
import type { Binarisation } from '../../../architectures/binarisation.js';
import { lenet5Binary } from '../../../architectures/lenet5.js';
import type { Recipe } from '../recipe.js';
import { mnistCnnRecipe } from './mnist-cnn.js';

const binarisation: Binarisation = {
  signGradient: 'clipped',
  blockOrder: 'norm-activation',
  activations: 'binary',
  firstLayer: 'binary',
  lastLayer: 'binary',
};

export const lenet5BinaryRecipe: Recipe = {
  ...mnistCnnRecipe,
  name: 'lenet5-binary',
  title: 'Handwritten digits, LeNet-5 of ±1',
  architecture: lenet5Binary(binarisation),
  binarisation,
  batchSize: 128,
  learningRate: 0.01,
  epochs: 40,
};
