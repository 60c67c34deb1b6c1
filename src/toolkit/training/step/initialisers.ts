// a ParameterSpec and a seed → the first values of the parameter.
import type { ParameterSource, ParameterSpec } from '../../architectures/forward.js';
import { elementCount } from '../../graph/graph.js';
import { float32Tensor } from '../../graph/tensor-data.js';
import { createRandom } from '../../random.js';

/**
 * Weights uniform in ±sqrt(6 / (fanIn + fanOut)) (Glorot and Bengio, 2010, eq. 16), biases and means zero, scales and variances
 * one. Each weight has a random stream of its own name, so a new layer does not change the others.
 */
export function glorotUniform(seed: number): ParameterSource {
  return (spec) => float32Tensor(initialValues(spec, seed), spec.shape);
}

/** Zeros: for code that needs only shapes, and as the start of a convex problem. */
export const zeros: ParameterSource = ({ shape }) =>
  float32Tensor(new Float32Array(elementCount(shape)), shape);

function initialValues(spec: ParameterSpec, seed: number): Float32Array {
  const values = new Float32Array(elementCount(spec.shape));
  switch (spec.kind) {
    case 'weight': {
      const limit = Math.sqrt(6 / (spec.fanIn + spec.fanOut));
      const random = createRandom(seed, 'initialiser', spec.name);
      return values.map(() => (random.next() * 2 - 1) * limit);
    }
    case 'scale':
    case 'variance':
      return values.fill(1);
    case 'bias':
    case 'mean':
      return values;
  }
}
