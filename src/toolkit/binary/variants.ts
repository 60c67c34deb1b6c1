// Binarised forward graph with trained weights → the bytes of its binary.onnx and, if it has an integer form, of its int8.onnx.
import type { InputContract } from '../../inference/image/contract.js';
import type { Binarisation } from '../architectures/binarisation.js';
import { compactNames } from '../graph/compact.js';
import type { Graph } from '../graph/graph.js';
import { encodeOnnx } from '../graph/onnx.js';
import { encodeSigns } from './binary-pass.js';
import { integer } from './integer.js';
import { oneBit } from './one-bit.js';

/** Returns the bytes of each variant. They need no calibration, because ±1 is exact in both. */
export function binaryVariants(
  forward: Graph,
  binarisation: Binarisation,
  input: InputContract,
): Map<'binary' | 'int8', Uint8Array> {
  const encode = (graph: Graph, name: string) => encodeOnnx({ ...compactNames(graph), name });
  const variants = new Map([
    ['binary' as 'binary' | 'int8', encode(encodeSigns(forward, input, oneBit), 'binary')],
  ]);
  if (hasIntegerForm(binarisation))
    variants.set('int8', encode(encodeSigns(forward, input, integer), 'int8'));
  return variants;
}

/** Whether every layer reads signs or pixels. Signs that are normalised first are real numbers. */
export function hasIntegerForm({ activations, blockOrder, firstLayer, lastLayer }: Binarisation): boolean {
  const allBinary = [activations, firstLayer, lastLayer].every((precision) => precision === 'binary');
  return allBinary && blockOrder === 'norm-activation';
}
