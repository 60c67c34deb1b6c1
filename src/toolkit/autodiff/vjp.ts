// What a gradient rule gets and returns, and functions that several rules need.
import { type GraphBuilder, staticShape } from '../graph/builder.js';
import { GraphError } from '../graph/errors.js';
import type { Node, Value } from '../graph/graph.js';

export interface VjpContext {
  readonly builder: GraphBuilder;
  readonly node: Node;
  readonly inputs: readonly (Value | undefined)[];
  /** The first output: y. */
  readonly output: Value;
  /** dL/dy, in the shape of y. */
  readonly gradient: Value;
  /** Whether dL/d(input i) is needed. */
  wanted(i: number): boolean;
}

export type Gradients = (Value | undefined)[];
export type Vjp = (context: VjpContext) => Gradients;

/** An operator without a gradient, and the reason. */
export class NoGradient {
  constructor(readonly reason: string) {}
}

export function required(value: Value | undefined): Value {
  if (!value) throw new GraphError('An input that the gradient rule needs is missing');
  return value;
}

/** Sums a gradient over the axes along which broadcasting repeated the input. */
export function sumTo(builder: GraphBuilder, gradient: Value, input: Value | undefined): Value | undefined {
  if (!input) return undefined;
  const from = gradient.type.shape;
  const to = input.type.shape;
  const added = from.length - to.length;
  const axes = from.flatMap((dim, axis) => (axis < added || to[axis - added] !== dim ? [axis] : []));
  if (axes.length === 0) return gradient;
  const summed = builder.op('ReduceSum', [gradient, builder.integers(axes)], { keepdims: { int: 0 } });
  return summed.type.shape.join() === to.join()
    ? summed
    : builder.op('Reshape', [summed, builder.integers(staticShape(input))]);
}
