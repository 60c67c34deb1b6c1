// The sign that binarised networks use, as operators and as a function: +1 for 0 and above, -1 below.
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/graph.js';

/** Adds the sign of x to the graph. ONNX's Sign does not fit, as it is 0 at 0. */
export function sign(builder: GraphBuilder, x: Value): Value {
  return signOfBool(builder, builder.op('GreaterOrEqual', [x, builder.scalar(0)]));
}

/** Adds +1 for true and -1 for false. */
export function signOfBool(builder: GraphBuilder, isAbove: Value): Value {
  return builder.op('Where', [isAbove, builder.scalar(1), builder.scalar(-1)]);
}

export function signOf(x: number): 1 | -1 {
  return x < 0 ? -1 : 1;
}
