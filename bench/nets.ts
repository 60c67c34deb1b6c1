// The networks that training speed is measured on; bench/peers/train_pytorch.py has the same ones.
import { cifarCnn, resnet20 } from '#dist/toolkit/architectures/benchmark.js';
import { mnistCnn } from '#dist/toolkit/architectures/mnist-cnn.js';

export const nets = [mnistCnn, cifarCnn, resnet20];
