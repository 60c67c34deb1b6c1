// A small residual network in one cycle of a high learning rate, on cropped and mirrored images with cutout.
import { cifar10Resnet } from '../../../architectures/cifar10.js';
import type { Recipe } from '../recipe.js';
import { cifar10Input } from './cifar10-cnn.js';

export const cifar10ResnetRecipe: Recipe = {
  name: 'cifar10-resnet',
  title: 'Ten kinds of things and animals',
  dataset: 'cifar10',
  architecture: cifar10Resnet,
  input: cifar10Input,
  augmentation: { crop: { padding: 4 }, flip: true, cutout: { size: 8 }, fill: 120 },
  optimiser: { kind: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 5e-4 },
  loss: { kind: 'softmax', labelSmoothing: 0.05 },
  learningRate: 0.2,
  schedule: { kind: 'one-cycle', rise: 0.2 },
  batchSize: 128,
  epochs: 64,
  validationSplit: 0.02,
  seed: 1,
};
