// ±1 as float32, each weight of it one bit in the file: what binary.onnx is. Standard ONNX, for any runtime.

import { signOfBool } from '../autodiff/sign.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { Node, Value } from '../graph/graph.js';
import type { Encoding, Weights } from './binary-pass.js';
import { packSigns, unpackSigns } from './bits.js';

/** ONNX Runtime unpacks the weights when it loads the file, and then runs its float kernels. */
export const oneBit: Encoding = {
  signs: { factor: 1, offset: 0 },
  // A product with 255 has rounding errors. Rounded to whole numbers, it is the same on every machine.
  pixels: (builder, image) => builder.op('Round', [builder.op('Mul', [image, builder.scalar(255)])]),
  wholeProduct: product,
  realProduct: product,
  fromBool: signOfBool,
};

function product(builder: GraphBuilder, node: Node, x: Value, { latent, dims, signs }: Weights): Value {
  const weight = unpackSigns(builder, latent, dims, packSigns(signs));
  const [y = ''] = node.outputs;
  return builder.ops(node.op as 'Conv' | 'Gemm', [x, weight], 1, {
    name: node.name,
    outputs: [y],
    attributes: node.attributes,
  })[0] as Value;
}
