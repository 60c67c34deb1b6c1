// Dense layers as other tools export them → `Gemm` with weights [outputs, inputs], as in Quati; means over an image → GlobalAveragePool.
import { freshNames } from './fresh-names.js';
import { elementCount, floatAttribute, type Graph, intAttribute, intsAttribute, type Node } from './graph.js';
import { withoutUnread } from './prune.js';
import { inferTypes } from './shape-inference.js';
import { keepsDims, normaliseAxis } from './shape-rules.js';
import { float32Tensor, int64Tensor, toFloat32Array } from './tensor-data.js';
import { transposeData } from './transpose-data.js';

/** Rewrites layers with constant weights of two dimensions; every other node stays unchanged. */
export function canonicalLayers(graph: Graph): Graph {
  const initializers = new Map(graph.initializers);
  const fresh = freshNames(graph);
  const add = (prefix: string, data: Parameters<typeof initializers.set>[1]) => {
    const name = fresh(prefix);
    initializers.set(name, data);
    return name;
  };
  const nodes = graph.nodes.flatMap((node): Node[] => {
    if (node.op === 'MatMul') return [denseOf(node, graph, add) ?? node];
    if (node.op === 'Gemm') return [plainGemm(node, graph, add) ?? node];
    if (node.op === 'ReduceMean') return pooled(node, graph, { fresh, add }) ?? [node];
    return [node];
  });
  return inferTypes(withoutUnread({ ...graph, nodes, initializers }));
}

/** Whether a Gemm is x W' + b without other factors; its weights are [outputs, inputs]. */
export function isPlainGemm(node: Node): boolean {
  const [transA, transB] = [intAttribute(node, 'transA', 0), intAttribute(node, 'transB', 0)];
  const [alpha, beta] = [floatAttribute(node, 'alpha', 1), floatAttribute(node, 'beta', 1)];
  return transA === 0 && transB === 1 && alpha === 1 && beta === 1;
}

type Add = (prefix: string, data: ReturnType<typeof float32Tensor>) => string;

/** x W, both of two dimensions, is Gemm(x, W transposed, transB). Inference mode makes a following Add its bias. */
function denseOf(node: Node, graph: Graph, add: Add): Node | undefined {
  const [x = '', weightName = ''] = node.inputs;
  const weight = graph.initializers.get(weightName);
  if (weight?.dims.length !== 2 || graph.types.get(x)?.shape.length !== 2) return undefined;
  const transposed = add(`${weightName}.t`, transposeData(weight, [1, 0]));
  return { ...node, op: 'Gemm', inputs: [x, transposed], attributes: { transB: { int: 1 } } };
}

/** alpha x W + beta c as x W' + b: the constants W' and b include alpha and beta, and b has one value per output. */
function plainGemm(node: Node, graph: Graph, add: Add): Node | undefined {
  const [x = '', weightName = '', biasName] = node.inputs;
  const weight = graph.initializers.get(weightName);
  const bias = graph.initializers.get(biasName ?? '');
  if (!weight || (biasName && !bias) || intAttribute(node, 'transA', 0) === 1) return undefined;
  const [alpha, beta] = ['alpha', 'beta'].map((name) => floatAttribute(node, name, 1));
  const turned = intAttribute(node, 'transB', 0) === 1 ? weight : transposeData(weight, [1, 0]);
  const outputs = turned.dims[0] ?? 0;
  const shaped = !bias || (bias.dims.length === 1 && bias.dims[0] === outputs);
  if (isPlainGemm(node) && shaped) return undefined;
  if (bias && elementCount(bias.dims) !== 1 && elementCount(bias.dims) !== outputs) return undefined;
  const scaled = float32Tensor(
    toFloat32Array(turned).map((value) => value * (alpha ?? 1)),
    turned.dims,
  );
  const values = bias && toFloat32Array(bias);
  const spread = Array.from(
    { length: outputs },
    (_, i) => (values?.[values.length === 1 ? 0 : i] ?? 0) * (beta ?? 1),
  );
  const biases = values ? [add(`${weightName}.bias`, float32Tensor(spread, [outputs]))] : [];
  return {
    ...node,
    inputs: [x, add(`${weightName}.t`, scaled), ...biases],
    attributes: { transB: { int: 1 } },
  };
}

/** Returns the nodes for a mean over height and width; undefined for means over other axes. */
function pooled(
  node: Node,
  graph: Graph,
  { fresh, add }: { fresh: (prefix: string) => string; add: Add },
): Node[] | undefined {
  const rank = graph.types.get(node.inputs[0] ?? '')?.shape.length ?? 0;
  const axes = intsAttribute(node, 'axes', []).map((axis) => normaliseAxis(axis, rank));
  if (rank !== 4 || axes.sort().join() !== '2,3') return undefined;
  const pool = { ...node, op: 'GlobalAveragePool', attributes: {} };
  if (keepsDims(node)) return [pool];
  const [output = ''] = node.outputs;
  const kept = fresh(`${output}.pooled`);
  const target = add(`${output}.shape`, int64Tensor([0, -1]));
  const flat = { ...node, op: 'Reshape', name: `${node.name}.flat`, inputs: [kept, target], attributes: {} };
  return [{ ...pool, outputs: [kept] }, flat];
}
