// Forward graph as it was trained → as it serves: without Dropout, what scales and shifts channels folded into the layer before it.

import { isPlainGemm } from './dense.js';
import { GraphError } from './errors.js';
import { freshNames } from './fresh-names.js';
import { consumers, elementCount, floatAttribute, type Graph, type Node, type TensorData } from './graph.js';
import { withoutUnread } from './prune.js';
import { inferTypes } from './shape-inference.js';
import { float32Tensor, toFloat32Array } from './tensor-data.js';

export function toInferenceMode(graph: Graph): Graph {
  return foldAffine(withoutDropout(graph));
}

/** Removes Dropout: the nodes that read its output read its input instead. */
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
  return inferTypes(withoutUnread({ ...graph, nodes }));
}

/** y = factors[k] x + offsets[k] for every channel k of `source`. */
interface ChannelAffine {
  readonly source: string;
  readonly factors: readonly number[];
  readonly offsets: readonly number[];
}

/**
 * Folds f y + t into the layer y = w x + b before it: per filter, w' = f w and b' = f b + t.
 *
 * The layer has to be a Conv or Gemm with constant weights and no other reader; otherwise the node stays.
 * BatchNormalization has f = s / sqrt(v + e) and t = shift - f m. A Mul, Add or Sub with one constant per channel is folded
 * too: exporters write biases as Add.
 */
function foldAffine(graph: Graph): Graph {
  const readers = consumers(graph);
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const initializers = new Map(graph.initializers);
  const fresh = freshNames(graph);
  const made = new Map<string, Node>();
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    const layerOf = (name: string) => {
      const layer = made.get(name);
      const alone = readers.get(name)?.length === 1 && !outputs.has(name);
      return layer && alone && isConstantLayer(layer, initializers) ? layer : undefined;
    };
    const affine = channelAffine(node, { initializers, layerOf });
    const layer = affine && layerOf(affine.source);
    if (!affine || !layer) {
      nodes.push(node);
      for (const output of node.outputs) made.set(output, node);
      continue;
    }
    const names = [fresh(`${layer.inputs[1]}.folded`), fresh(`${layer.inputs[1]}.folded.bias`)];
    folded(layer, affine, initializers).forEach((data, i) => {
      initializers.set(names[i] ?? '', data);
    });
    const replaced = {
      ...layer,
      inputs: [layer.inputs[0] ?? '', ...names],
      outputs: node.outputs.slice(0, 1),
    };
    nodes[nodes.indexOf(layer)] = replaced;
    made.set(node.outputs[0] ?? '', replaced);
  }
  return inferTypes(withoutUnread({ ...graph, nodes, initializers }));
}

type Constants = ReadonlyMap<string, TensorData>;

/** Whether a node is a Conv or Gemm with constant weights [outputs, …]. */
function isConstantLayer(node: Node, constants: Constants): boolean {
  const layer = node.op === 'Conv' || (node.op === 'Gemm' && isPlainGemm(node));
  return layer && node.inputs.slice(1).every((name) => !name || constants.has(name));
}

interface AffineContext {
  readonly initializers: Constants;
  readonly layerOf: (name: string) => Node | undefined;
}

function channelAffine(node: Node, { initializers, layerOf }: AffineContext): ChannelAffine | undefined {
  const [first = '', second = ''] = node.inputs;
  if (node.op === 'BatchNormalization') {
    return layerOf(first) && { source: first, ...normalisation(node, initializers) };
  }
  if (!['Add', 'Sub', 'Mul'].includes(node.op)) return undefined;
  const source = initializers.has(second) ? first : node.op === 'Sub' ? '' : second;
  const layer = layerOf(source);
  const constant = initializers.get(source === first ? second : first);
  const values = layer && constant && onePerChannel(constant, layer, initializers);
  if (!values) return undefined;
  const ones = values.map(() => 1);
  const zeros = values.map(() => 0);
  if (node.op === 'Mul') return { source, factors: values, offsets: zeros };
  return { source, factors: ones, offsets: node.op === 'Sub' ? values.map((value) => -value) : values };
}

/** Returns a constant as one value per channel, if it is [C, 1, 1], [1, C, 1, 1], [C] after a Gemm, or one value. */
function onePerChannel(constant: TensorData, layer: Node, constants: Constants): number[] | undefined {
  const filters = constants.get(layer.inputs[1] ?? '')?.dims[0] ?? 0;
  const count = elementCount(constant.dims);
  const behind = layer.op === 'Conv' ? 2 : 0;
  const rank = behind + 2;
  const axes = constant.dims.length;
  const fits = axes <= rank && constant.dims.every((dim, i) => dim === 1 || i === axes - 1 - behind);
  if (constant.dataType !== 'float32' || !fits || (count !== 1 && count !== filters)) return undefined;
  const values = toFloat32Array(constant);
  return Array.from({ length: filters }, (_, k) => values[count === 1 ? 0 : k] ?? 0);
}

function normalisation(norm: Node, constants: Constants): { factors: number[]; offsets: number[] } {
  const [scale, shift, mean, variance] = norm.inputs.slice(1).map((name) => {
    const data = constants.get(name);
    if (!data) throw new GraphError(`BatchNormalization ${norm.name}: ${name}: expected a constant`);
    return toFloat32Array(data);
  });
  const epsilon = floatAttribute(norm, 'epsilon', 1e-5);
  const factors = Array.from(scale ?? [], (s, k) => s / Math.sqrt(at(variance, k) + epsilon));
  return { factors, offsets: factors.map((factor, k) => at(shift, k) - factor * at(mean, k)) };
}

function folded(layer: Node, { factors, offsets }: ChannelAffine, constants: Constants): TensorData[] {
  const [, weightName = '', biasName] = layer.inputs;
  const weight = constants.get(weightName);
  if (!weight) throw new GraphError(`${layer.op} ${layer.name}: ${weightName}: expected a constant`);
  const weights = toFloat32Array(weight);
  const size = weights.length / factors.length;
  const bias = biasName ? toFloat32Array(constants.get(biasName) ?? float32Tensor([], [0])) : undefined;
  return [
    float32Tensor(
      weights.map((value, i) => value * (factors[Math.floor(i / size)] ?? 1)),
      weight.dims,
    ),
    float32Tensor(
      factors.map((factor, k) => factor * at(bias, k) + (offsets[k] ?? 0)),
      [factors.length],
    ),
  ];
}

function at(values: Float32Array | undefined, index: number): number {
  return values?.[index] ?? 0;
}
