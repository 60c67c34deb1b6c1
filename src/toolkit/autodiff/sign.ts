// The sign that binarised networks use, as standard operators and as a function: +1 from 0 on, -1 below.
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/graph.js';

/** ONNX's Sign has a third value, 0 at 0. */
export function sign(builder: GraphBuilder, x: Value): Value {
  return signOfBool(builder, builder.op('GreaterOrEqual', [x, builder.scalar(0)]));
}

/** true → +1. */
export function signOfBool(builder: GraphBuilder, isAbove: Value): Value {
  return builder.op('Where', [isAbove, builder.scalar(1), builder.scalar(-1)]);
}

export function signOf(x: number): 1 | -1 {
  return x < 0 ? -1 : 1;
}
