// Gradients of piecewise linear activations, for both layouts.
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/graph.js';

/** dx = dy where y > 0, else 0. */
export function reluGrad(builder: GraphBuilder, [gradient, y]: readonly Value[]): Value {
  return builder.op('Mul', [gradient, positive(builder, y as Value)]);
}

/** dx = dy where low < x < high, else 0. The bounds are scalars; each may be missing. */
export function clipGrad(builder: GraphBuilder, [gradient, x, low, high]: readonly Value[]): Value {
  const masks = [
    low && positive(builder, builder.op('Sub', [x, low])),
    high && positive(builder, builder.op('Sub', [high, x])),
  ];
  return masks.reduce<Value>(
    (product, mask) => (mask ? builder.op('Mul', [product, mask]) : product),
    gradient as Value,
  );
}

/** 1 where x > 0, else 0. A steep HardSigmoid computes it in one vectorised pass; it is 1 from 1e-30 up. */
function positive(builder: GraphBuilder, x: Value): Value {
  return builder.op('HardSigmoid', [x], { alpha: { float: 1e30 }, beta: { float: 0 } });
}
