// A graph in the operator set that Quati writes → the same graph in a newer one, which an operator without a rule needs.
import { type Graph, intsAttribute, type Node, type TensorData } from './graph.js';
import { int64Tensor } from './tensor-data.js';

/** From set 18 on, their axes are an input. */
const reductions = new Set(['ReduceMax', 'ReduceMean', 'ReduceMin', 'ReduceProd']);
const axesAsInputSince = 18;

export function spellForOpset(graph: Graph, opset: number): Graph {
  if (opset < axesAsInputSince || !graph.nodes.some(hasAxes)) return graph;
  const initializers = new Map<string, TensorData>(graph.initializers);
  const nodes = graph.nodes.map((node) => {
    if (!hasAxes(node)) return node;
    const { axes: _, ...attributes } = node.attributes;
    const axes = `${node.outputs[0]}.axes`;
    initializers.set(axes, int64Tensor(intsAttribute(node, 'axes', [])));
    return { ...node, inputs: [...node.inputs, axes], attributes };
  });
  return { ...graph, nodes, initializers };
}

function hasAxes({ op, domain, attributes, foreign }: Node): boolean {
  return domain === '' && !foreign && reductions.has(op) && attributes.axes !== undefined;
}
