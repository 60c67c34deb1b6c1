// The classic digit recipe: Adam with a cosine schedule, batches of 32, 5 epochs, a tenth reserved for validation.
import { mnistCnn } from '../../../architectures/mnist-cnn.js';
import type { Recipe } from '../recipe.js';

export const mnistCnnRecipe: Recipe = {
  name: 'mnist-cnn',
  title: 'Handwritten digits',
  dataset: 'mnist',
  architecture: mnistCnn,
  input: {
    width: 28,
    height: 28,
    channels: 'gray',
    fit: 'contain',
    kernel: 'linear',
    scale: 1 / 255,
    mean: [0],
    std: [1],
    polarity: 'auto',
    centre: { box: 20 },
  },
  optimiser: { kind: 'adam' },
  learningRate: 0.001,
  schedule: { kind: 'cosine' },
  batchSize: 32,
  epochs: 5,
  validationSplit: 0.1,
  seed: 1,
};
