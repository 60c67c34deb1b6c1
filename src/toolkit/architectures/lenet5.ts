// LeNet-5 (LeCun et al., 1998): 6@5x5 - pool - 16@5x5 - pool - 120 - 84 - 10, with real weights, or binarised.
import type { Binarisation, Precision } from './binarisation.js';
import {
  type Architecture,
  batchNorm,
  binarise,
  conv,
  dense,
  flatten,
  type Layer,
  maxPool,
  relu,
} from './layers.js';

// A border of two pixels turns digits of 28x28 into the 32x32 of the paper.
const first = { kernel: 5, padding: 2 };
const second = { kernel: 5 };

/** 61,706 parameters. */
export const lenet5: Architecture = {
  name: 'lenet5',
  input: { channels: 1, height: 28, width: 28 },
  layers: [
    conv(6, first),
    relu,
    maxPool(),
    conv(16, second),
    relu,
    maxPool(),
    flatten,
    dense(120),
    relu,
    dense(84),
    relu,
    dense(10),
  ],
};

/** Pooling comes before the sign, because the maximum of four signs is nearly always +1. */
export function lenet5Binary(options: Binarisation): Architecture {
  const { signGradient, firstLayer, lastLayer } = options;
  const weights = (precision: Precision) => ({
    bias: false,
    ...(precision === 'binary' && { binary: signGradient }),
  });
  return {
    name: 'lenet5-binary',
    input: lenet5.input,
    layers: [
      conv(6, { ...first, ...weights(firstLayer) }),
      maxPool(),
      ...block(options),
      conv(16, { ...second, ...weights('binary') }),
      maxPool(),
      ...block(options),
      flatten,
      dense(120, weights('binary')),
      ...block(options),
      dense(84, weights('binary')),
      ...block(options),
      dense(10, weights(lastLayer)),
      batchNorm(),
    ],
  };
}

function block({ signGradient, blockOrder, activations }: Binarisation): Layer[] {
  const activation = activations === 'binary' ? binarise(signGradient) : relu;
  return blockOrder === 'norm-activation' ? [batchNorm(), activation] : [activation, batchNorm()];
}
