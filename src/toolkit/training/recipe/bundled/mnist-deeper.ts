// Four normalised convolutions on shifted and rotated digits, 15 epochs.
import { mnistDeeper } from '../../../architectures/digits.js';
import type { Recipe } from '../recipe.js';
import { mnistCnnRecipe } from './mnist-cnn.js';

export const mnistDeeperRecipe: Recipe = {
  ...mnistCnnRecipe,
  name: 'mnist-deeper',
  title: 'Handwritten digits, four convolutions',
  architecture: mnistDeeper,
  augmentation: { rotation: 10, shift: 0.1 },
  batchSize: 128,
  learningRate: 0.002,
  epochs: 15,
};
