// A binarised network and recipe small enough to train on in a test.
import {
  type Architecture,
  batchNorm,
  binarise,
  conv,
  dense,
  flatten,
} from '../../src/toolkit/architectures/layers.js';
import type { SignGradient } from '../../src/toolkit/autodiff/sign-gradients.js';
import { tinyArchitecture } from './tiny-dataset.js';

export function tinyBinary(gradient: SignGradient): Architecture {
  return {
    ...tinyArchitecture,
    layers: [
      conv(4, { bias: false, binary: gradient }),
      batchNorm(),
      binarise(gradient),
      flatten,
      dense(3, { bias: false, binary: gradient }),
      batchNorm(),
    ],
  };
}
