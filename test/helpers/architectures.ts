// Every architecture whose gradients are compared with those of PyTorch, which test/fixtures/pytorch/record_gradients.py records.
import { cifarCnn, resnet20 } from '../../src/toolkit/architectures/benchmark.js';
import { cifar10Cnn, cifar10Resnet } from '../../src/toolkit/architectures/cifar10.js';
import { mnistDeeper, mnistDropout, mnistSimple } from '../../src/toolkit/architectures/digits.js';
import {
  type Architecture,
  averagePool,
  batchNorm,
  conv,
  dense,
  globalAveragePool,
  hardSwish,
  type Layer,
  relu,
  relu6,
  residual,
  sigmoid,
} from '../../src/toolkit/architectures/layers.js';
import { mnistCnn } from '../../src/toolkit/architectures/mnist-cnn.js';

/**
 * Inverted residual blocks with depthwise convolutions, as in MobileNetV3, and what no other net here has. The ReLU behind the
 * first keeps the next normalisation from taking its last bias off again, whose gradient would be 0.
 */
const mobileNet: Architecture = {
  name: 'mobile-net',
  input: { channels: 3, height: 24, width: 24 },
  layers: [
    ...normalised(16, { stride: 2, padding: 1 }),
    hardSwish,
    residual(inverted(16, 32, 1)),
    relu,
    ...inverted(32, 64, 2),
    averagePool(),
    conv(32, { groups: 2 }),
    sigmoid,
    globalAveragePool,
    dense(10),
  ],
};

type ConvOptions = Parameters<typeof conv>[1];

function normalised(filters: number, options: ConvOptions): Layer[] {
  return [conv(filters, { ...options, bias: false }), batchNorm()];
}

/** Wide, depthwise, narrow again. */
function inverted(filters: number, wide: number, stride: number): Layer[] {
  return [
    ...normalised(wide, { kernel: 1 }),
    relu6,
    ...normalised(wide, { padding: 1, stride, groups: wide }),
    relu,
    ...normalised(filters, { kernel: 1 }),
  ];
}

export const architectures: readonly Architecture[] = [
  mnistSimple,
  mnistDeeper,
  mnistDropout,
  mnistCnn,
  cifar10Cnn,
  cifar10Resnet,
  cifarCnn,
  resnet20,
  mobileNet,
];
