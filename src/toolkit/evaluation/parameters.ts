// The bytes of an ONNX file → how many parameters it computes with.
import type { Graph, Node } from '../graph/graph.js';
import { decodeOnnx } from '../graph/onnx.js';

/**
 * Elements of the constants that are multiplied with or added to values: of a quantised file its weights and biases, not
 * their scales and zero points. Undefined for a file whose operators are not known here: it can be served all the same.
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
