// Two well-known networks for comparisons of speed: a plain one for 32 x 32 images, and ResNet-20.
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

/** conv32 x 2 - conv64 x 2 - conv128 - dense128: 402,986 parameters. */
export const cifarCnn: Architecture = {
  name: 'cifar-cnn',
  input,
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

/** He et al., 2016, section 4.2, with projection shortcuts: 272,474 parameters. */
export const resnet20: Architecture = {
  name: 'resnet-20',
  input,
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

function same(filters: number): Layer[] {
  return [conv(filters, { padding: 1 }), relu];
}

function normalised(filters: number, stride = 1): Layer[] {
  return [conv(filters, { padding: 1, stride, bias: false }), batchNorm()];
}

function block(filters: number, stride: number): Layer[] {
  const body = [...normalised(filters, stride), relu, ...normalised(filters)];
  const shortcut = stride === 1 ? [] : [conv(filters, { kernel: 1, stride, bias: false }), batchNorm()];
  return [residual(body, shortcut), relu];
}

function stage(filters: number, stride: number): Layer[] {
  return [...block(filters, stride), ...block(filters, 1), ...block(filters, 1)];
}
