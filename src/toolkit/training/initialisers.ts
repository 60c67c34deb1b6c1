// ParameterSpec + seed → the values a parameter starts from.
import type { ParameterSource, ParameterSpec } from '../architectures/forward.js';
import { elementCount } from '../graph/graph.js';
import { float32Tensor } from '../graph/tensor-data.js';
import { createRandom } from './random.js';

/**
 * Weights uniform in ±sqrt(6 / (fanIn + fanOut)) (Glorot and Bengio, 2010, eq. 16), biases and means zero, scales and variances
 * one. Each weight draws from a stream of its own name: adding a layer does not change the others.
 */
export function glorotUniform(seed: number): ParameterSource {
  return (spec) => float32Tensor(initialValues(spec, seed), spec.shape);
}

function initialValues(spec: ParameterSpec, seed: number): Float32Array {
  const zeros = new Float32Array(elementCount(spec.shape));
  switch (spec.kind) {
    case 'weight': {
      const limit = Math.sqrt(6 / (spec.fanIn + spec.fanOut));
      const random = createRandom(seed, 'initialiser', spec.name);
      return zeros.map(() => (random.next() * 2 - 1) * limit);
    }
    case 'scale':
    case 'variance':
      return zeros.fill(1);
    case 'bias':
    case 'mean':
      return zeros;
  }
}
