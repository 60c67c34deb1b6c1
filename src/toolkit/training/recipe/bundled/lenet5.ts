// LeNet-5 with real weights, on slightly shifted digits.
import { lenet5 } from '../../../architectures/lenet5.js';
import type { Recipe } from '../recipe.js';
import { mnistCnnRecipe } from './mnist-cnn.js';

export const lenet5Recipe: Recipe = {
  ...mnistCnnRecipe,
  name: 'lenet5',
  title: 'Handwritten digits, LeNet-5',
  architecture: lenet5,
  augmentation: { rotation: 10, shift: 0.05 },
  batchSize: 64,
  learningRate: 0.002,
  epochs: 15,
};
