// Graph with Quati's gradient operators → the same function in standard ONNX operators that any ONNX Runtime runs.
import { GraphBuilder } from '../graph/builder.js';
import type { Graph, Node, Value } from '../graph/graph.js';
import type { GradientOperator } from '../graph/shape-inference.js';
import { convInputGrad, convWeightGrad } from './convolution.js';
import { maxPoolGrad, withIndices } from './pooling.js';

export interface LoweringContext {
  readonly builder: GraphBuilder;
  readonly node: Node;
  readonly inputs: readonly Value[];
}

type Lowering = (context: LoweringContext) => Value;

const portable: Record<GradientOperator, Lowering> = {
  ConvInputGrad: convInputGrad,
  ConvWeightGrad: convWeightGrad,
  MaxPoolGrad: maxPoolGrad,
  ReluGrad: reluGrad,
};

/** Rewrites every operator of the `quati` domain; names of inputs and outputs stay. */
export function lower(graph: Graph): Graph {
  const builder = new GraphBuilder(graph.name, graph.types.keys());
  const renamed = new Map<string, string>();
  const current = (name: string) => renamed.get(name) ?? name;
  for (const { name, type } of graph.inputs) builder.input(name, type.shape, type.dataType);
  for (const [name, data] of graph.initializers) builder.initializer(name, data);
  for (const original of withIndices(graph)) {
    const node = { ...original, inputs: original.inputs.map(current) };
    if (node.domain !== 'quati') {
      builder.append(node);
      continue;
    }
    const rewrite = portable[node.op as GradientOperator];
    const value = rewrite({ builder, node, inputs: node.inputs.map((name) => builder.value(name)) });
    renamed.set(node.outputs[0] ?? '', value.name);
  }
  for (const { name } of graph.outputs) builder.output(builder.value(current(name)), name);
  return builder.build();
}

/** dx = dy where y > 0, else 0. HardSigmoid with a steep slope is that mask in one vectorised pass: 0 at 0, 1 above 1e-30. */
function reluGrad({ builder, inputs: [gradient, y] }: LoweringContext): Value {
  const mask = builder.op('HardSigmoid', [y], { alpha: { float: 1e30 }, beta: { float: 0 } });
  return builder.op('Mul', [gradient, mask]);
}
