// Graph with a scalar loss → the same graph plus the gradient of the loss with respect to chosen values (reverse mode).
import { GraphBuilder } from '../graph/builder.js';
import { GraphError, UnsupportedOperatorError } from '../graph/errors.js';
import type { Graph, Node, Value } from '../graph/graph.js';
import { vjp } from './rules.js';

export interface Differentiated {
  readonly graph: Graph;
  /** Chosen value → the value that holds its gradient, of the same shape. */
  readonly gradients: ReadonlyMap<string, Value>;
}

/**
 * Visits the nodes backwards. Each operator's rule turns the gradient of its output into the gradients of its inputs.
 * @throws UnsupportedOperatorError if the loss depends on a value through an operator without a rule.
 * @throws GraphError if the loss is not a scalar, or does not depend on one of the values.
 */
export function differentiate(graph: Graph, loss: string, withRespectTo: readonly string[]): Differentiated {
  const builder = GraphBuilder.from(graph);
  const lossValue = builder.value(loss);
  if (lossValue.type.shape.length !== 0) {
    throw new GraphError(`${loss}: loss: expected a scalar, got [${lossValue.type.shape.join(', ')}]`);
  }
  const dependent = dependents(graph, withRespectTo);
  const contributions = new Map<string, Value[]>([[loss, [builder.scalar(1)]]]);
  for (const node of [...graph.nodes].reverse()) {
    backpropagate(builder, node, dependent, contributions);
  }
  const gradients = new Map<string, Value>();
  for (const name of withRespectTo) {
    const gradient = total(builder, contributions.get(name));
    if (!gradient) throw new GraphError(`${loss} does not depend on ${name}`);
    gradients.set(name, gradient);
  }
  for (const output of graph.outputs) builder.output(output);
  return { graph: builder.build(), gradients };
}

function backpropagate(
  builder: GraphBuilder,
  node: Node,
  dependent: ReadonlySet<string>,
  contributions: Map<string, Value[]>,
): void {
  const reached = node.outputs.filter((output) => contributions.has(output));
  if (reached.length === 0 || !node.inputs.some((input) => dependent.has(input))) return;
  const gradient = total(builder, contributions.get(node.outputs[0] ?? ''));
  if (!gradient || reached.length > 1) {
    throw new UnsupportedOperatorError(
      `${node.op} ${node.name}: has no gradient: the loss may depend only on its first output`,
    );
  }
  const inputGradients = vjp({
    builder,
    node,
    inputs: node.inputs.map((name) => (name ? builder.value(name) : undefined)),
    output: builder.value(node.outputs[0] ?? ''),
    gradient,
    wanted: (i) => dependent.has(node.inputs[i] ?? ''),
  });
  node.inputs.forEach((name, i) => {
    const contribution = inputGradients[i];
    if (!contribution || !dependent.has(name)) return;
    contributions.set(name, [...(contributions.get(name) ?? []), contribution]);
  });
}

/** Returns all values that depend on the given ones, and these too. */
function dependents(graph: Graph, values: readonly string[]): Set<string> {
  const dependent = new Set(values);
  for (const node of graph.nodes) {
    if (node.inputs.some((input) => dependent.has(input))) {
      for (const output of node.outputs) dependent.add(output);
    }
  }
  return dependent;
}

function total(builder: GraphBuilder, parts: readonly Value[] | undefined): Value | undefined {
  return parts?.reduce((sum, part) => builder.op('Add', [sum, part]));
}
