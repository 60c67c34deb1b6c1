// The networks of the training benchmark; bench/peers/train_pytorch.py has the same networks.
import { cifarCnn, resnet20 } from '#dist/toolkit/architectures/benchmark.js';
import { mnistCnn } from '#dist/toolkit/architectures/mnist-cnn.js';

export const nets = [mnistCnn, cifarCnn, resnet20];
