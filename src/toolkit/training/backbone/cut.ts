// a loaded backbone and the place of the cut → a graph `image` [N, C, H, W] → `backbone.features` [N, F, 1, 1]; the same with a head.
import { imageName } from '../../architectures/forward.js';
import { GraphError } from '../../graph/errors.js';
import {
  elementCount,
  type Graph,
  type Node,
  producers,
  type TensorData,
  type Value,
} from '../../graph/graph.js';
import { int64Tensor } from '../../graph/tensor-data.js';
import type { LoadedBackbone } from './load.js';

/** The prefix of all names from the file, so that they differ from the names of the head and of the training step. */
const prefix = 'backbone.';
export const featuresName = `${prefix}features`;

export interface CutOptions {
  readonly features: string;
  readonly size: { readonly width: number; readonly height: number };
  /** The type of the features, for a batch of any size. */
  readonly dims: readonly number[];
}

/** Averages features over their height and width, if they have both. Other features get a height and width of 1. */
export function cutBackbone({ graph, input, channels }: LoadedBackbone, options: CutOptions): Graph {
  const { features, size, dims } = options;
  const renamed = (name: string) => (name === '' ? '' : name === input ? imageName : prefix + name);
  const nodes = ancestors(graph, features).map((node) => ({
    ...node,
    name: prefix + node.name,
    inputs: node.inputs.map(renamed),
    outputs: node.outputs.map(renamed),
  }));
  const source = renamed(features);
  const [, width = 0] = dims;
  const pooling = dims.length === 4 ? pool(source) : reshape(source);
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  const kept = [...graph.initializers].map(([name, data]) => [renamed(name), data] as const);
  return {
    name: 'backbone',
    inputs: [{ name: imageName, type: floats(['N', channels, size.height, size.width]) }],
    outputs: [{ name: featuresName, type: floats(['N', width, 1, 1]) }],
    nodes: [...nodes, pooling.node],
    initializers: new Map([...kept.filter(([name]) => read.has(name)), ...pooling.initializers]),
    types: new Map(),
  };
}

/**
 * Connects the `image` input of the head to the features of the backbone. It omits types, because a node may have no shape rule, and
 * ONNX Runtime infers types itself.
 */
export function joinHead(backbone: Graph, head: Graph): Graph {
  const [features] = backbone.outputs;
  if (features === undefined) throw new GraphError(`${backbone.name}: has no features`);
  const nodes = head.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map((name) => (name === imageName ? features.name : name)),
  }));
  return {
    ...backbone,
    name: 'classifier',
    outputs: head.outputs,
    nodes: [...backbone.nodes, ...nodes],
    initializers: new Map([...backbone.initializers, ...head.initializers]),
    types: new Map(),
  };
}

/** The same graph with other values in some initializers. */
export function withTensors(graph: Graph, tensors: ReadonlyMap<string, TensorData>): Graph {
  const entries = [...graph.initializers].map(([name, data]) => [name, tensors.get(name) ?? data] as const);
  return { ...graph, initializers: new Map(entries) };
}

/** The number of values in all float32 initializers that have more than one value. */
export function parameterCount({ initializers }: Graph): number {
  const sizes = [...initializers.values()].map(({ dataType, dims }) =>
    dataType === 'float32' ? elementCount(dims) : 0,
  );
  return sizes.reduce((sum, size) => sum + (size > 1 ? size : 0), 0);
}

function ancestors(graph: Graph, value: string): Node[] {
  const made = producers(graph);
  const needed = new Set<Node>();
  const walk = [value];
  for (let name = walk.pop(); name !== undefined; name = walk.pop()) {
    const node = made.get(name);
    if (node === undefined || needed.has(node)) continue;
    needed.add(node);
    walk.push(...node.inputs);
  }
  return graph.nodes.filter((node) => needed.has(node));
}

interface Pooling {
  readonly node: Node;
  readonly initializers: readonly (readonly [string, TensorData])[];
}

function pool(source: string): Pooling {
  return { node: ownNode('GlobalAveragePool', [source]), initializers: [] };
}

function reshape(source: string): Pooling {
  const shape = `${featuresName}.shape`;
  return { node: ownNode('Reshape', [source, shape]), initializers: [[shape, int64Tensor([0, -1, 1, 1])]] };
}

function ownNode(op: string, inputs: readonly string[]): Node {
  return { op, domain: '', name: featuresName, inputs, outputs: [featuresName], attributes: {} };
}

function floats(shape: Value['type']['shape']): Value['type'] {
  return { dataType: 'float32', shape };
}
