// The networks that training speed is measured on; bench/peers/train_pytorch.py has the same ones.
import {
  batchNorm,
  conv,
  dense,
  dropout,
  flatten,
  globalAveragePool,
  maxPool,
  relu,
  residual,
} from '../dist/toolkit/architectures/layers.js';
import { mnistCnn } from '../dist/toolkit/architectures/mnist-cnn.js';

const rgb32 = { channels: 3, height: 32, width: 32 };
const same = (filters) => [conv(filters, { padding: 1 }), relu];

const cifarCnn = {
  name: 'cifar-cnn',
  input: rgb32,
  layers: [
    ...same(32),
    ...same(32),
    maxPool(),
    dropout(0.25),
    ...same(64),
    ...same(64),
    maxPool(),
    dropout(0.25),
    ...same(128),
    maxPool(),
    flatten,
    dense(128),
    relu,
    dropout(0.5),
    dense(10),
  ],
};

const normalised = (filters, stride = 1) => [conv(filters, { padding: 1, stride, bias: false }), batchNorm()];

function block(filters, stride) {
  const body = [...normalised(filters, stride), relu, ...normalised(filters)];
  const shortcut = stride === 1 ? [] : [conv(filters, { kernel: 1, stride, bias: false }), batchNorm()];
  return [residual(body, shortcut), relu];
}

const stage = (filters, stride) => [...block(filters, stride), ...block(filters, 1), ...block(filters, 1)];

/** He et al., 2016, section 4.2, with projection shortcuts. */
const resnet20 = {
  name: 'resnet-20',
  input: rgb32,
  layers: [
    ...normalised(16),
    relu,
    ...stage(16, 1),
    ...stage(32, 2),
    ...stage(64, 2),
    globalAveragePool,
    dense(10),
  ],
};

export const nets = [mnistCnn, cifarCnn, resnet20];
