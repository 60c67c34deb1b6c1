// ±1 as bytes, for the integer kernels of ONNX Runtime: the encoding of a fully binarised network's int8.onnx.
import type { GraphBuilder } from '../graph/builder.js';
import { GraphError } from '../graph/errors.js';
import { intAttribute, intsAttribute, type Node, type Value } from '../graph/graph.js';
import { int8Tensor, uint8Tensor } from '../graph/tensor-data.js';
import type { Encoding, Weights } from './binary-pass.js';

const [float32, uint8] = [1, 2];

/**
 * A pixel is a byte. A sign is a byte b: 0 for -1 and 1 for +1. ConvInteger and MatMulInteger compute sum w b in 32 bits
 * without rounding, and sum w (2 b - 1) = 2 sum w b - sum w.
 */
export const integer: Encoding = {
  signs: { factor: 2, offset: -1 },
  pixels(builder, image) {
    const zero = builder.shared('zero byte', () => uint8Tensor([0], []));
    return builder.op('QuantizeLinear', [image, builder.scalar(1 / 255), zero]);
  },
  wholeProduct(builder, node, x, weights, { offset }) {
    if (offset !== 0 && intsAttribute(node, 'pads', []).some((pad) => pad !== 0))
      throw new GraphError(
        `${node.op} ${node.name}: has no integer form: its pads are 0, which is not a sign`,
      );
    const sum = node.op === 'Conv' ? conv(builder, node, x, weights) : matMul(builder, node, x, weights);
    return builder.op('Cast', [sum], { to: { int: float32 } });
  },
  realProduct(_, { op, name }) {
    throw new GraphError(`${op} ${name}: has no integer form: its input is neither signs nor pixels k / 255`);
  },
  fromBool: (builder, isAbove) => builder.op('Cast', [isAbove], { to: { int: uint8 } }),
};

function conv(builder: GraphBuilder, node: Node, x: Value, { latent, dims, signs }: Weights): Value {
  const weight = builder.initializer(latent, int8Tensor(signs, dims));
  return builder.op('ConvInteger', [x, weight], node.attributes);
}

/** Gemm's weights are [outputs, inputs], MatMulInteger's are [inputs, outputs]. */
function matMul(builder: GraphBuilder, node: Node, x: Value, { latent, dims, signs }: Weights): Value {
  const [outputs = 0, inputs = 0] = dims;
  if (intAttribute(node, 'transB', 0) !== 1)
    throw new GraphError(`Gemm ${node.name}: has no integer form: expected transB 1`);
  const transposed = signs.map((_, i) => signs[(i % outputs) * inputs + Math.floor(i / outputs)] ?? 0);
  return builder.op('MatMulInteger', [
    x,
    builder.initializer(latent, int8Tensor(transposed, [inputs, outputs])),
  ]);
}
