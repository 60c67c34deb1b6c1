// batch normalisations that could not be folded → products and sums with fixed statistics, which have gradients but are not trained.
import { GraphBuilder } from '../../graph/builder.js';
import { GraphError } from '../../graph/errors.js';
import { floatAttribute, type Graph, type Node } from '../../graph/graph.js';
import { float32Tensor, toFloat32Array } from '../../graph/tensor-data.js';

/**
 * y = s (x - m) / sqrt(v + e) + t equals y = f x + (t - f m) with f = s / sqrt(v + e). The statistics stay fixed, because a few hundred
 * photos estimate them worse than the million that the backbone was trained on.
 */
export function freezeBatchNorm(graph: Graph): Graph {
  if (!graph.nodes.some(({ op }) => op === 'BatchNormalization')) return graph;
  const builder = new GraphBuilder(graph.name, graph.types.keys());
  for (const { name, type } of graph.inputs) builder.input(name, type.shape, type.dataType);
  for (const [name, data] of graph.initializers) builder.initializer(name, data);
  for (const node of graph.nodes) {
    if (node.op === 'BatchNormalization') appendFrozen(builder, node);
    else builder.append(node);
  }
  for (const { name } of graph.outputs) builder.output(builder.value(name));
  return builder.build();
}

function appendFrozen(builder: GraphBuilder, node: Node): void {
  const [x = '', ...vectors] = node.inputs;
  const [scale, shift, mean, variance] = vectors.map((name) => {
    const data = builder.constantData(name);
    if (!data) throw new GraphError(`BatchNormalization ${node.name}: ${name}: expected a constant`);
    return toFloat32Array(data);
  });
  const epsilon = floatAttribute(node, 'epsilon', 1e-5);
  const input = builder.value(x);
  const shape = [scale?.length ?? 0, ...Array<number>(input.type.shape.length - 2).fill(1)];
  const factors = Float32Array.from(scale ?? [], (s, i) => s / Math.sqrt((variance?.[i] ?? 0) + epsilon));
  const offsets = factors.map((f, i) => (shift?.[i] ?? 0) - f * (mean?.[i] ?? 0));
  const [factor, offset] = [factors, offsets].map((values, i) =>
    builder.initializer(`${node.outputs[0]}.${i === 0 ? 'factor' : 'offset'}`, float32Tensor(values, shape)),
  );
  const scaled = builder.op('Mul', [input, factor]);
  builder.ops('Add', [scaled, offset], 1, { outputs: node.outputs.slice(0, 1) });
}
