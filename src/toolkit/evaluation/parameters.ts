// The bytes of an ONNX file → the number of its parameters.
import type { Graph, Node } from '../graph/graph.js';
import { decodeOnnx } from '../graph/onnx.js';

/**
 * Counts the elements of weights and biases, but not of scales and zero points.
 * @returns undefined for a file that Quati cannot read, which may still be served.
 */
export function countParameters(model: Uint8Array, file: string): number | undefined {
  let graph: Graph;
  try {
    graph = decodeOnnx(model, file);
  } catch {
    return undefined;
  }
  const scaling = new Set(graph.nodes.flatMap(scalingInputs));
  let count = 0;
  for (const [name, { dataType, dims }] of graph.initializers) {
    if (dataType === 'int64' || dataType === 'bool' || scaling.has(name)) continue;
    if (dims.length > 0) count += dims.reduce((product, dim) => product * dim, 1);
  }
  return count;
}

function scalingInputs({ op, inputs }: Node): readonly string[] {
  return op === 'QuantizeLinear' || op === 'DequantizeLinear' ? inputs.slice(1) : [];
}
