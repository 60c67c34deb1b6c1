// Two convolutions with dropout, 20 epochs.
import { mnistDropout } from '../../../architectures/digits.js';
import type { Recipe } from '../recipe.js';
import { mnistCnnRecipe } from './mnist-cnn.js';

export const mnistDropoutRecipe: Recipe = {
  ...mnistCnnRecipe,
  name: 'mnist-dropout',
  title: 'Handwritten digits, with dropout',
  architecture: mnistDropout,
  batchSize: 64,
  epochs: 20,
};
