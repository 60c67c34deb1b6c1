// ParameterSpec + seed → the values a parameter starts from.
import type { ParameterSource, ParameterSpec } from '../../architectures/forward.js';
import { elementCount } from '../../graph/graph.js';
import { float32Tensor } from '../../graph/tensor-data.js';
import { createRandom } from '../../random.js';

/**
 * Weights uniform in ±sqrt(6 / (fanIn + fanOut)) (Glorot and Bengio, 2010, eq. 16), biases and means zero, scales and variances
 * one. Each weight draws from a stream of its own name: adding a layer does not change the others.
 */
export function glorotUniform(seed: number): ParameterSource {
  return (spec) => float32Tensor(initialValues(spec, seed), spec.shape);
}

/** Where a shape is wanted, or a convex problem starts. */
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
