// Float graph → the same graph with weights as half floats in the file. It runs in float32: half the bytes, the same time.
import { GraphBuilder } from '../graph/builder.js';
import type { Graph, TensorData, Value } from '../graph/graph.js';
import { toFloat32Array } from '../graph/tensor-data.js';
import { QuantisationError } from './errors.js';
import { largestHalf, toHalf } from './half.js';

/** For fewer elements, a Cast node takes more bytes than half floats save. */
const leastElements = 32;
const float32Code = 1;

/**
 * Adds a Cast after each weight, which ONNX Runtime runs once, when it loads the model. Input, activations and output stay
 * float32: CPUs compute in float32, and activations cannot overflow.
 * @throws QuantisationError if there are no weights, or one is too large for a half float.
 */
export function toFloat16(graph: Graph): Graph {
  const builder = new GraphBuilder(graph.name, [...graph.types.keys(), ...graph.initializers.keys()]);
  for (const { name, type } of graph.inputs) builder.input(name, type.shape, type.dataType);
  const casts = new Map<string, Value>();
  for (const [name, data] of graph.initializers) {
    if (!isHalved(data)) builder.initializer(name, data);
    else {
      const half = builder.unshared(halved(data, `${graph.name}: ${name}`));
      casts.set(name, builder.op('Cast', [half], { to: { int: float32Code } }));
    }
  }
  if (casts.size === 0) throw new QuantisationError(`${graph.name}: has no weights to halve`);
  for (const node of graph.nodes)
    builder.append({ ...node, inputs: node.inputs.map((name) => casts.get(name)?.name ?? name) });
  for (const { name } of graph.outputs) builder.output(builder.value(name));
  return builder.build();
}

function isHalved({ dataType, dims }: TensorData): boolean {
  return dataType === 'float32' && dims.reduce((a, b) => a * b, 1) >= leastElements;
}

function halved(data: TensorData, where: string): TensorData {
  const values = toFloat32Array(data);
  const large = values.find((value) => !(Math.abs(value) <= largestHalf));
  if (large !== undefined)
    throw new QuantisationError(`${where}: holds ${large}, but a half float is at most ${largestHalf}`);
  const halves = Uint16Array.from(values, toHalf);
  return { dataType: 'float16', dims: data.dims, bytes: new Uint8Array(halves.buffer) };
}
