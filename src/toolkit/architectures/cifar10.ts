// The two networks for the 32 x 32 images of CIFAR-10: a classic one with dense layers, and a residual one of similar size.
import {
  type Architecture,
  batchNorm,
  conv,
  dense,
  dropout,
  flatten,
  globalAveragePool,
  type Layer,
  maxPool,
  relu,
  residual,
} from './layers.js';

const input = { channels: 3, height: 32, width: 32 };

/** Pairs of convolutions with pools and dropout between them, then dense layers: 337,418 parameters. */
export const cifar10Cnn: Architecture = {
  name: 'cifar10-cnn',
  input,
  layers: [
    ...normalised(32),
    ...normalised(32),
    maxPool(),
    dropout(0.1),
    ...normalised(64),
    ...normalised(64),
    maxPool(),
    dropout(0.2),
    ...normalised(128),
    maxPool(),
    dropout(0.3),
    flatten,
    dense(96),
    relu,
    dropout(0.3),
    dense(10),
  ],
};

/**
 * Residual blocks as in He et al., 2016, section 4.2: three of 32 channels at 16 x 16 and three of 64 at 8 x 8; 301,978 parameters.
 * ResNet-20 starts with convolutions of 16 channels at 32 x 32, which spend most of their time on moving values. This network
 * has one convolution of 32 channels and a pool instead.
 */
export const cifar10Resnet: Architecture = {
  name: 'cifar10-resnet',
  input,
  layers: [
    ...normalised(16),
    ...normalised(32),
    maxPool(),
    ...block(32),
    ...block(32),
    ...block(32),
    ...normalised(64),
    maxPool(),
    ...block(64),
    ...block(64),
    ...block(64),
    globalAveragePool,
    dense(10),
  ],
};

function normalised(filters: number): Layer[] {
  return [conv(filters, { padding: 1, bias: false }), batchNorm(), relu];
}

function block(filters: number): Layer[] {
  const body = [...normalised(filters), conv(filters, { padding: 1, bias: false }), batchNorm()];
  return [residual(body), relu];
}
