// seed, step and layer → the mask of that layer in that step. It does not depend on earlier steps, so a resumed run is the same run.
import { elementCount } from '../../graph/graph.js';
import { createRandom } from '../../random.js';
import type { DropoutMask } from './training-mode.js';

/**
 * 0 with probability `rate`, else 1 / (1 - rate) (inverted dropout, Srivastava et al., 2014). Each value uses 16 bits of the
 * generator, so the rate is rounded to a multiple of 2^-16, and the factor uses the rounded rate.
 */
export function dropoutMask({ name, shape, rate }: DropoutMask, seed: number, step: number): Float32Array {
  const mask = new Float32Array(elementCount(shape));
  const dropped = Math.round(rate * 2 ** 16);
  const kept = 2 ** 16 / (2 ** 16 - dropped);
  const random = createRandom(seed, 'dropout', step, name);
  for (let i = 0; i < mask.length; i += 2) {
    const bits = random.bits();
    mask[i] = (bits & 0xffff) < dropped ? 0 : kept;
    if (i + 1 < mask.length) mask[i + 1] = bits >>> 16 < dropped ? 0 : kept;
  }
  return mask;
}
