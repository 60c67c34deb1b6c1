// One operator and the gradient of its output → the gradients of its inputs (vector-Jacobian products).

import { staticShape } from '../graph/builder.js';
import { UnsupportedOperatorError } from '../graph/errors.js';
import { type Operator, operatorOf } from '../graph/shape-inference.js';
import { hardSigmoidVjp, hardSwishVjp, logSoftmaxVjp, sigmoidVjp, softmaxVjp } from './activations.js';
import { batchNormTrainingVjp } from './normalisation.js';
import { convVjp, gemmVjp } from './products.js';
import { concatVjp, padVjp, reduceMeanVjp, reduceSumVjp, reshapeVjp, transposeVjp } from './shaping.js';
import { binariseVjp } from './sign-gradients.js';
import { type Gradients, NoGradient, required, sumTo, type Vjp, type VjpContext } from './vjp.js';

const piecewiseConstant = new NoGradient('small changes of its input do not change its result');
const secondOrder = new NoGradient('it is a gradient, and second derivatives are not supported');
const lowered = new NoGradient('its graph is already lowered');
const notWritten = new NoGradient('Quati has no rule for it');

/** A gradient for every operator: the compiler reports an operator that is missing here. */
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
  Reshape: reshapeVjp,
  Flatten: reshapeVjp,
  Transpose: transposeVjp,
  ReduceMean: reduceMeanVjp,
  ReduceSum: reduceSumVjp,
  // y = max(x, 0): dx = dy where y > 0
  Relu: ({ builder, gradient, output }) => [builder.op('ReluGrad', [gradient, output])],
  LogSoftmax: logSoftmaxVjp,
  Gemm: gemmVjp,
  Conv: convVjp,
  Concat: concatVjp,
  Pad: padVjp,
  Sigmoid: sigmoidVjp,
  HardSigmoid: hardSigmoidVjp,
  HardSwish: hardSwishVjp,
  Softmax: softmaxVjp,
  // y = min(max(x, low), high): dx = dy where low < x < high
  Clip: ({ builder, gradient, inputs }) => [builder.op('ClipGrad', [gradient, ...inputs])],
  BatchNormTraining: batchNormTrainingVjp,
  Binarise: binariseVjp,
  AveragePool: ({ builder, node, gradient, inputs: [x] }) =>
    builder.ops('AveragePoolGrad', [gradient, x], 1, { name: node.name, attributes: node.attributes }),
  MaxPool: ({ builder, node, gradient, inputs: [x], output }) =>
    builder.ops('MaxPoolGrad', [gradient, x, output], 1, { name: node.name, attributes: node.attributes }),
  GlobalAveragePool: ({ builder, gradient, inputs: [x] }) => {
    const [, , height = 1, width = 1] = staticShape(required(x));
    const spread = builder.floats(Array(height * width).fill(1 / (height * width)), [1, 1, height, width]);
    return [builder.op('Mul', [gradient, spread])];
  },
  ArgMax: piecewiseConstant,
  BitShift: piecewiseConstant,
  ConvInteger: piecewiseConstant,
  Equal: piecewiseConstant,
  Greater: piecewiseConstant,
  GreaterOrEqual: piecewiseConstant,
  MatMulInteger: piecewiseConstant,
  OneHot: piecewiseConstant,
  QuantizeLinear: piecewiseConstant,
  Round: piecewiseConstant,
  'nchwc.AveragePool': lowered,
  'nchwc.Conv': lowered,
  'nchwc.GlobalAveragePool': lowered,
  'nchwc.MaxPool': lowered,
  'nchwc.ReorderInput': lowered,
  'nchwc.ReorderOutput': lowered,
  'nchwc.Upsample': lowered,
  AveragePoolGrad: secondOrder,
  BatchNormGrad: secondOrder,
  ClipGrad: secondOrder,
  ConvInputGrad: secondOrder,
  ConvWeightGrad: secondOrder,
  MaxPoolGrad: secondOrder,
  ReluGrad: secondOrder,
  BatchNormalization: new NoGradient('its statistics are fixed outside training mode; fold it or train it'),
  Abs: notWritten,
  Cast: notWritten,
  ConvTranspose: notWritten,
  DequantizeLinear: notWritten,
  Dropout: notWritten,
  Expand: notWritten,
  Gather: notWritten,
  MatMul: notWritten,
  MaxUnpool: notWritten,
  Mod: notWritten,
  ScatterElements: notWritten,
  Slice: notWritten,
  Split: notWritten,
  Where: notWritten,
};

/** Returns the gradients of a node's inputs. @throws UnsupportedOperatorError naming the node and why it has no gradient. */
export function vjp(context: VjpContext): Gradients {
  const { op, name } = context.node;
  const operator = operatorOf(context.node);
  const rule = operator ? rules[operator] : notWritten;
  if (rule instanceof NoGradient) {
    throw new UnsupportedOperatorError(`${op} ${name}: has no gradient: ${rule.reason}`);
  }
  return rule(context);
}
