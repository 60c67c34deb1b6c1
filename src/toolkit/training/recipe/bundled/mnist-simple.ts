// One convolution, 10 epochs.
import { mnistSimple } from '../../../architectures/digits.js';
import type { Recipe } from '../recipe.js';
import { mnistCnnRecipe } from './mnist-cnn.js';

export const mnistSimpleRecipe: Recipe = {
  ...mnistCnnRecipe,
  name: 'mnist-simple',
  title: 'Handwritten digits, one convolution',
  architecture: mnistSimple,
  epochs: 10,
};
