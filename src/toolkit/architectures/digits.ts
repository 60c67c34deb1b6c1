// The three networks that the digit recipes compare, from one convolution to several.
import {
  type Architecture,
  batchNorm,
  conv,
  dense,
  dropout,
  flatten,
  type Layer,
  maxPool,
  relu,
} from './layers.js';

const input = { channels: 1, height: 28, width: 28 };

/** One convolution: 54,410 parameters. */
export const mnistSimple: Architecture = {
  name: 'mnist-simple',
  input,
  layers: [conv(32), relu, maxPool(), flatten, dense(10)],
};

/** Four normalised convolutions in two pairs: 468,010 parameters. */
export const mnistDeeper: Architecture = {
  name: 'mnist-deeper',
  input,
  layers: [
    ...normalised(32),
    ...normalised(32),
    maxPool(),
    ...normalised(64),
    ...normalised(64),
    maxPool(),
    flatten,
    dense(128),
    relu,
    dense(10),
  ],
};

/** Two convolutions, and dense layers with dropout of half of their inputs: 225,034 parameters. */
export const mnistDropout: Architecture = {
  name: 'mnist-dropout',
  input,
  layers: [
    conv(32),
    relu,
    maxPool(),
    dropout(0.25),
    conv(64),
    relu,
    maxPool(),
    dropout(0.25),
    flatten,
    dense(128),
    relu,
    dropout(0.5),
    dense(10),
  ],
};

function normalised(filters: number): Layer[] {
  return [conv(filters, { padding: 1, bias: false }), batchNorm(), relu];
}
