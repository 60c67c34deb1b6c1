// Signs ⇄ bits, eight a byte, and the standard operators that make signs of bits when ONNX Runtime loads a graph.

import { signOf, signOfBool } from '../autodiff/sign.js';
import type { GraphBuilder } from '../graph/builder.js';
import { elementCount, type TensorData, type Value } from '../graph/graph.js';
import { uint8Tensor } from '../graph/tensor-data.js';

/** Packs signs: bit i % 8 of byte i / 8, lowest bit first, is 1 if value i is 0 or more. Zeros fill the last byte. */
export function packSigns(values: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(values.length / 8));
  for (let i = 0; i < values.length; i++) {
    if (signOf(values[i] ?? 0) > 0) bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (1 << (i & 7));
  }
  return bytes;
}

/**
 * Adds the operators that unpack signs to ±1 in float32. They shift each byte by 0…7, take its last bit, and select +1 or -1.
 * All inputs are constant, so ONNX Runtime unpacks once, when it loads the graph. Mod takes the last bit, as BitwiseAnd needs opset 18.
 * @param signs the shape of the result.
 */
export function unpackSigns(
  builder: GraphBuilder,
  name: string,
  signs: TensorData['dims'],
  bytes: Uint8Array,
): Value {
  const count = elementCount(signs);
  const packed = builder.initializer(`${name}.bits`, uint8Tensor(bytes, [bytes.length, 1]));
  const shifts = builder.shared('bit shifts', () => uint8Tensor([0, 1, 2, 3, 4, 5, 6, 7], [8]));
  const two = builder.shared('two', () => uint8Tensor([2], []));
  const shifted = builder.op('BitShift', [packed, shifts], { direction: { string: 'RIGHT' } });
  const isSet = builder.op('Cast', [builder.op('Mod', [shifted, two])], { to: { int: 9 } });
  const wide = signOfBool(builder, isSet);
  const flat = count === bytes.length * 8 ? wide : withoutFilling(builder, wide, count);
  return builder.op('Reshape', [flat, builder.integers(signs)]);
}

function withoutFilling(builder: GraphBuilder, wide: Value, count: number): Value {
  const flat = builder.op('Reshape', [wide, builder.integers([-1])]);
  return builder.op('Slice', [flat, builder.integers([0]), builder.integers([count])]);
}
