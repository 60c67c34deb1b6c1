// Gradients of activations and of softmax.
import type { GraphBuilder } from '../graph/builder.js';
import { floatAttribute, intAttribute, type Value } from '../graph/graph.js';
import type { Gradients, VjpContext } from './vjp.js';

/** y = x - log(sum(exp(x))): dx = dy - exp(y) sum(dy), along the axis. */
export function logSoftmaxVjp({ builder, node, gradient, output }: VjpContext): Gradients {
  const axis = builder.integers([intAttribute(node, 'axis', -1)]);
  const sum = builder.op('ReduceSum', [gradient, axis], { keepdims: { int: 1 } });
  const softmax = builder.op('Exp', [output]);
  return [builder.op('Sub', [gradient, builder.op('Mul', [softmax, sum])])];
}

/** y = exp(x) / sum(exp(x)): dx = y (dy - sum(dy y)), along the axis. */
export function softmaxVjp({ builder, node, gradient, output }: VjpContext): Gradients {
  const axis = builder.integers([intAttribute(node, 'axis', -1)]);
  const product = builder.op('Mul', [gradient, output]);
  const sum = builder.op('ReduceSum', [product, axis], { keepdims: { int: 1 } });
  return [builder.op('Sub', [product, builder.op('Mul', [output, sum])])];
}

/** y = 1 / (1 + exp(-x)): dx = dy y (1 - y). */
export function sigmoidVjp({ builder, gradient, output }: VjpContext): Gradients {
  const slope = builder.op('Mul', [output, builder.op('Sub', [builder.scalar(1), output])]);
  return [builder.op('Mul', [gradient, slope])];
}

/** y = max(0, min(1, a x + b)): dx = a dy where y is neither 0 nor 1. */
export function hardSigmoidVjp({ builder, node, gradient, output }: VjpContext): Gradients {
  const slope = builder.op('Mul', [gradient, builder.scalar(floatAttribute(node, 'alpha', 0.2))]);
  return [builder.op('Mul', [slope, insideUnit(builder, output)])];
}

/** y = x h(x), h(x) = max(0, min(1, x / 6 + 1/2)): dx = dy (h(x) + x h'(x)), h' = 1/6 inside, else 0. */
export function hardSwishVjp({ builder, gradient, inputs: [x] }: VjpContext): Gradients {
  const alpha = 1 / 6;
  const gate = builder.op('HardSigmoid', [x], { alpha: { float: alpha }, beta: { float: 0.5 } });
  const ramp = builder.op('Mul', [builder.op('Mul', [x, builder.scalar(alpha)]), insideUnit(builder, gate)]);
  return [builder.op('Mul', [gradient, builder.op('Add', [gate, ramp])])];
}

/** 1 where 0 < y < 1, else 0: y (1 - y) is positive there. */
function insideUnit(builder: GraphBuilder, y: Value): Value {
  const room = builder.op('Mul', [y, builder.op('Sub', [builder.scalar(1), y])]);
  return builder.op('HardSigmoid', [room], { alpha: { float: 1e30 }, beta: { float: 0 } });
}
