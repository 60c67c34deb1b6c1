// One operator and the gradient of its output → the gradients of its inputs (vector-Jacobian products).
import { type GraphBuilder, staticShape } from '../graph/builder.js';
import { GraphError, UnsupportedOperatorError } from '../graph/errors.js';
import { floatAttribute, intAttribute, intsAttribute, type Node, type Value } from '../graph/graph.js';
import { type Operator, operatorOf } from '../graph/shape-inference.js';
import { toIntegers } from '../graph/tensor-data.js';

export interface VjpContext {
  readonly builder: GraphBuilder;
  readonly node: Node;
  readonly inputs: readonly (Value | undefined)[];
  /** The first output: y. */
  readonly output: Value;
  /** dL/dy, shaped like y. */
  readonly gradient: Value;
  /** Whether dL/d(input i) is needed at all. */
  wanted(i: number): boolean;
}

type Gradients = (Value | undefined)[];
type Vjp = (context: VjpContext) => Gradients;

/** Why an operator has no gradient. */
class NoGradient {
  constructor(readonly reason: string) {}
}

const piecewiseConstant = new NoGradient('its result does not change with small changes of its input');
const secondOrder = new NoGradient('it is a gradient itself, and second derivatives are not supported');
const lowered = new NoGradient('it belongs to a graph that was lowered already');
const notWritten = new NoGradient('its rule has not been written yet');

/** Exhaustive: an operator that is added to the graph has to say here what its gradient is. */
const rules: Record<Operator, Vjp | NoGradient> = {
  // y = a + b
  Add: ({ builder, gradient, inputs }) => inputs.map((input) => sumTo(builder, gradient, input)),
  // y = a - b
  Sub: ({ builder, gradient, inputs: [a, b] }) => [
    sumTo(builder, gradient, a),
    sumTo(builder, builder.op('Neg', [gradient]), b),
  ],
  // y = a b: da = dy b, db = dy a
  Mul: ({ builder, gradient, inputs: [a, b], wanted }) => [
    wanted(0) ? sumTo(builder, builder.op('Mul', [gradient, b]), a) : undefined,
    wanted(1) ? sumTo(builder, builder.op('Mul', [gradient, a]), b) : undefined,
  ],
  // y = a / b: da = dy / b, db = -dy y / b
  Div: ({ builder, gradient, output, inputs: [a, b], wanted }) => {
    const quotient = builder.op('Div', [gradient, b]);
    return [
      wanted(0) ? sumTo(builder, quotient, a) : undefined,
      wanted(1) ? sumTo(builder, builder.op('Neg', [builder.op('Mul', [quotient, output])]), b) : undefined,
    ];
  },
  Neg: ({ builder, gradient }) => [builder.op('Neg', [gradient])],
  // y = exp(x): dx = dy y
  Exp: ({ builder, gradient, output }) => [builder.op('Mul', [gradient, output])],
  // y = sqrt(x): dx = dy / (2 y)
  Sqrt: ({ builder, gradient, output }) => [
    builder.op('Div', [gradient, builder.op('Mul', [output, builder.scalar(2)])]),
  ],
  Identity: ({ gradient }) => [gradient],
  Reshape: reshapeBack,
  Flatten: reshapeBack,
  Transpose: ({ builder, node, gradient }) => {
    const rank = gradient.type.shape.length;
    const perm = intsAttribute(
      node,
      'perm',
      Array.from({ length: rank }, (_, i) => rank - 1 - i),
    );
    return [builder.op('Transpose', [gradient], { perm: { ints: perm.map((_, i) => perm.indexOf(i)) } })];
  },
  ReduceSum: reduceSum,
  // y = max(x, 0): dx = dy where y > 0
  Relu: ({ builder, gradient, output }) => [builder.op('ReluGrad', [gradient, output])],
  LogSoftmax: logSoftmax,
  Gemm: gemm,
  Conv: conv,
  MaxPool: ({ builder, node, gradient, inputs: [x], output }) =>
    builder.ops('MaxPoolGrad', [gradient, x, output], 1, { name: node.name, attributes: node.attributes }),
  GlobalAveragePool: ({ builder, gradient, inputs: [x] }) => {
    const [, , height = 1, width = 1] = staticShape(required(x));
    const spread = builder.floats(Array(height * width).fill(1 / (height * width)), [1, 1, height, width]);
    return [builder.op('Mul', [gradient, spread])];
  },
  ArgMax: piecewiseConstant,
  Equal: piecewiseConstant,
  Greater: piecewiseConstant,
  OneHot: piecewiseConstant,
  QuantizeLinear: piecewiseConstant,
  'nchwc.AveragePool': lowered,
  'nchwc.Conv': lowered,
  'nchwc.MaxPool': lowered,
  'nchwc.ReorderInput': lowered,
  'nchwc.ReorderOutput': lowered,
  'nchwc.Upsample': lowered,
  ConvInputGrad: secondOrder,
  ConvWeightGrad: secondOrder,
  MaxPoolGrad: secondOrder,
  ReluGrad: secondOrder,
  AveragePool: notWritten,
  BatchNormalization: notWritten,
  Cast: notWritten,
  Clip: notWritten,
  Concat: notWritten,
  ConvTranspose: notWritten,
  DequantizeLinear: notWritten,
  Dropout: notWritten,
  Expand: notWritten,
  HardSigmoid: notWritten,
  MatMul: notWritten,
  MaxUnpool: notWritten,
  Pad: notWritten,
  Slice: notWritten,
  Softmax: notWritten,
  Split: notWritten,
};

/** @throws UnsupportedOperatorError naming the node and why it has no gradient. */
export function vjp(context: VjpContext): Gradients {
  const { op, name } = context.node;
  const operator = operatorOf(context.node);
  const rule = operator ? rules[operator] : notWritten;
  if (rule instanceof NoGradient) {
    throw new UnsupportedOperatorError(`${op} ${name}: has no gradient: ${rule.reason}`);
  }
  return rule(context);
}

function required(value: Value | undefined): Value {
  if (!value) throw new GraphError('an input that the rule needs is missing');
  return value;
}

/** Undoes broadcasting: sums the gradient over the axes along which the input was repeated. */
function sumTo(builder: GraphBuilder, gradient: Value, input: Value | undefined): Value | undefined {
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

function reshapeBack({ builder, gradient, inputs: [x] }: VjpContext): Gradients {
  return [builder.op('Reshape', [gradient, builder.integers(staticShape(required(x)))])];
}

/** y = sum of x over axes: every element of x gets the gradient of its sum. */
function reduceSum({ builder, node, gradient, inputs: [x, axes] }: VjpContext): Gradients {
  const shape = staticShape(required(x));
  const data = axes && builder.constantData(axes.name);
  const given = data ? toIntegers(data) : [];
  const summed = new Set(
    given.length > 0 ? given.map((axis) => (axis < 0 ? axis + shape.length : axis)) : shape.keys(),
  );
  const kept = shape.map((dim, axis) => (summed.has(axis) ? 1 : dim));
  const aligned =
    intAttribute(node, 'keepdims', 1) === 1
      ? gradient
      : builder.op('Reshape', [gradient, builder.integers(kept)]);
  return [builder.op('Expand', [aligned, builder.integers(shape)])];
}

/** y = x - log(sum(exp(x))): dx = dy - exp(y) sum(dy), along the axis. */
function logSoftmax({ builder, node, gradient, output }: VjpContext): Gradients {
  const axis = builder.integers([intAttribute(node, 'axis', -1)]);
  const sum = builder.op('ReduceSum', [gradient, axis], { keepdims: { int: 1 } });
  const softmax = builder.op('Exp', [output]);
  return [builder.op('Sub', [gradient, builder.op('Mul', [softmax, sum])])];
}

/** y = op(A) op(B) + C, op being the identity or the transpose: dA = dy op(B)^T, dB = op(A)^T dy, dC = dy. */
function gemm({ builder, node, gradient, inputs: [a, b, c], wanted }: VjpContext): Gradients {
  const [alpha, beta] = [floatAttribute(node, 'alpha', 1), floatAttribute(node, 'beta', 1)];
  if (alpha !== 1 || beta !== 1) {
    throw new UnsupportedOperatorError(`Gemm ${node.name}: has a gradient only for alpha and beta 1`);
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

/** y = x * w + b: lowering knows the formulations of dx and dw; db sums dy over batch, height and width. */
function conv({ builder, node, gradient, inputs: [x, weight, bias], wanted }: VjpContext): Gradients {
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
