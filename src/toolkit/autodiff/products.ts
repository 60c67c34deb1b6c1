// Gradients of matrix products and convolutions.
import { staticShape } from '../graph/builder.js';
import { UnsupportedOperatorError } from '../graph/errors.js';
import { floatAttribute, intAttribute, type Value } from '../graph/graph.js';
import { type Gradients, required, sumTo, type VjpContext } from './vjp.js';

/** y = op(A) op(B) + C, where op is the identity or the transpose: dA = dy op(B)^T, dB = op(A)^T dy, dC = dy. */
export function gemmVjp({ builder, node, gradient, inputs: [a, b, c], wanted }: VjpContext): Gradients {
  const [alpha, beta] = [floatAttribute(node, 'alpha', 1), floatAttribute(node, 'beta', 1)];
  if (alpha !== 1 || beta !== 1) {
    throw new UnsupportedOperatorError(
      `Gemm ${node.name}: expected alpha and beta 1 for a gradient, got ${alpha} and ${beta}`,
    );
  }
  const transA = intAttribute(node, 'transA', 0);
  const transB = intAttribute(node, 'transB', 0);
  const multiply = (x: Value | undefined, tx: number, y: Value | undefined, ty: number) =>
    builder.op('Gemm', [x, y], { transA: { int: tx }, transB: { int: ty } });
  const gradientA = () => (transA ? multiply(b, transB, gradient, 1) : multiply(gradient, 0, b, 1 - transB));
  const gradientB = () => (transB ? multiply(gradient, 1, a, transA) : multiply(a, 1 - transA, gradient, 0));
  return [
    wanted(0) ? gradientA() : undefined,
    wanted(1) ? gradientB() : undefined,
    sumTo(builder, gradient, c),
  ];
}

/** y = x * w + b: lowering writes out dx and dw; db is the sum of dy over batch, height and width. */
export function convVjp({
  builder,
  node,
  gradient,
  inputs: [x, weight, bias],
  wanted,
}: VjpContext): Gradients {
  const shapedLike = (value: Value | undefined) => ({
    name: node.name,
    attributes: { ...node.attributes, shape: { ints: staticShape(required(value)) } },
  });
  return [
    wanted(0) ? builder.ops('ConvInputGrad', [gradient, weight], 1, shapedLike(x))[0] : undefined,
    wanted(1) ? builder.ops('ConvWeightGrad', [gradient, x], 1, shapedLike(weight))[0] : undefined,
    bias && builder.op('ReduceSum', [gradient, builder.integers([0, 2, 3])], { keepdims: { int: 0 } }),
  ];
}
