// A seed → parameters as training might leave them: norms with every sign of scale, also 0, and statistics away from 0 and 1.
import type { ParameterSource } from '../../src/toolkit/architectures/forward.js';
import { elementCount } from '../../src/toolkit/graph/graph.js';
import { float32Tensor } from '../../src/toolkit/graph/tensor-data.js';
import { mulberry32, uniform } from './seeded-values.js';

export function randomParameters(seed: number): ParameterSource {
  const random = mulberry32(seed);
  return ({ kind, shape }) => {
    const values = uniform(random, elementCount(shape));
    if (kind === 'variance')
      return float32Tensor(
        values.map((value) => 1.5 + value),
        shape,
      );
    if (kind === 'scale')
      return float32Tensor(
        values.map((value, i) => (i === 0 ? 0 : value)),
        shape,
      );
    return float32Tensor(values, shape);
  };
}
