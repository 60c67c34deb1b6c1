// ParameterSpec + seed → the values a parameter starts from.
import type { ParameterSource, ParameterSpec } from '../architectures/forward.js';
import { elementCount } from '../graph/graph.js';
import { float32Tensor } from '../graph/tensor-data.js';
import { createRandom } from './random.js';

/**
 * Weights uniform in ±sqrt(6 / (fanIn + fanOut)) (Glorot and Bengio, 2010, eq. 16), biases zero. Each parameter draws from a
 * stream of its own name: adding a layer does not change the others.
 */
export function glorotUniform(seed: number): ParameterSource {
  return (spec) => float32Tensor(spec.kind === 'bias' ? zeros(spec) : uniform(spec, seed), spec.shape);
}

function zeros(spec: ParameterSpec): Float32Array {
  return new Float32Array(elementCount(spec.shape));
}

function uniform(spec: ParameterSpec, seed: number): Float32Array {
  const limit = Math.sqrt(6 / (spec.fanIn + spec.fanOut));
  const random = createRandom(seed, 'initialiser', spec.name);
  return zeros(spec).map(() => (random.next() * 2 - 1) * limit);
}
