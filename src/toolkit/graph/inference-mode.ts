// Forward graph as it was trained → as it serves: without Dropout, batch normalisation folded into what precedes it.
import { GraphError } from './errors.js';
import { consumers, floatAttribute, type Graph, type Node, producers, type TensorData } from './graph.js';
import { inferTypes } from './shape-inference.js';
import { float32Tensor, toFloat32Array } from './tensor-data.js';

export function toInferenceMode(graph: Graph): Graph {
  return foldBatchNorm(withoutDropout(graph));
}

/** Who reads a Dropout's output reads its input. */
export function withoutDropout(graph: Graph): Graph {
  const source = new Map<string, string>();
  const resolve = (name: string): string => source.get(name) ?? name;
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const nodes = graph.nodes.flatMap((node) => {
    const inputs = node.inputs.map(resolve);
    const [output = ''] = node.outputs;
    if (node.op !== 'Dropout') return [{ ...node, inputs }];
    if (outputs.has(output)) return [{ ...node, op: 'Identity', inputs: inputs.slice(0, 1), attributes: {} }];
    source.set(output, inputs[0] ?? '');
    return [];
  });
  return inferTypes(pruned({ ...graph, nodes }));
}

/**
 * conv(x) = w x + b followed by s (y - m) / sqrt(v + e) + t is one convolution: per filter, f = s / sqrt(v + e),
 * w' = f w, b' = f (b - m) + t. Folded where the convolution has no other reader; elsewhere the node stays.
 */
export function foldBatchNorm(graph: Graph): Graph {
  const made = producers(graph);
  const readers = consumers(graph);
  const initializers = new Map(graph.initializers);
  const replaced = new Map<string, Node>();
  const dropped = new Set<Node>();
  for (const norm of graph.nodes) {
    const source = made.get(norm.inputs[0] ?? '');
    const foldable = norm.op === 'BatchNormalization' && source && canFold(source, graph, readers);
    if (!foldable) continue;
    const folded = fold(source, norm, graph);
    for (const [name, data] of folded.initializers) initializers.set(name, data);
    replaced.set(source.outputs[0] ?? '', { ...folded.node, outputs: norm.outputs.slice(0, 1) });
    dropped.add(norm);
  }
  const nodes = graph.nodes.flatMap((node) =>
    dropped.has(node) ? [] : [replaced.get(node.outputs[0] ?? '') ?? node],
  );
  return inferTypes(pruned({ ...graph, nodes, initializers }));
}

function canFold(
  { op, inputs, outputs: [output = ''] }: Node,
  graph: Graph,
  readers: Map<string, Node[]>,
): boolean {
  const isOutput = graph.outputs.some(({ name }) => name === output);
  const alone = readers.get(output)?.length === 1 && !isOutput;
  return alone && op === 'Conv' && inputs.slice(1).every((name) => graph.initializers.has(name));
}

interface Folded {
  readonly node: Node;
  readonly initializers: readonly (readonly [string, TensorData])[];
}

function fold(conv: Node, norm: Node, graph: Graph): Folded {
  const vector = (name: string | undefined) => {
    const data = graph.initializers.get(name ?? '');
    if (!data) throw new GraphError(`BatchNormalization ${norm.name}: ${name} has to be constant`);
    return toFloat32Array(data);
  };
  const [, scale, shift, mean, variance] = norm.inputs.map((name, i) => (i === 0 ? undefined : vector(name)));
  const epsilon = floatAttribute(norm, 'epsilon', 1e-5);
  const [x = '', weightName = '', biasName] = conv.inputs;
  const { dims } = graph.initializers.get(weightName) as TensorData;
  const weights = vector(weightName);
  const filters = dims[0] ?? 0;
  const factors = Array.from(
    { length: filters },
    (_, k) => at(scale, k) / Math.sqrt(at(variance, k) + epsilon),
  );
  const size = weights.length / filters;
  const bias = biasName ? vector(biasName) : undefined;
  const foldedBias = factors.map((factor, k) => factor * ((bias?.[k] ?? 0) - at(mean, k)) + at(shift, k));
  const foldedWeights = weights.map((weight, i) => weight * (factors[Math.floor(i / size)] ?? 1));
  const names = [`${weightName}.folded`, `${weightName}.folded.bias`] as const;
  return {
    node: { ...conv, inputs: [x, ...names] },
    initializers: [
      [names[0], float32Tensor(foldedWeights, dims)],
      [names[1], float32Tensor(foldedBias, [filters])],
    ],
  };
}

function at(values: Float32Array | undefined, index: number): number {
  return values?.[index] ?? 0;
}

/** Initializers that nothing reads any more are left out. */
function pruned(graph: Graph): Graph {
  const read = new Set(graph.nodes.flatMap(({ inputs }) => inputs));
  return { ...graph, initializers: new Map([...graph.initializers].filter(([name]) => read.has(name))) };
}
