// Graph → the same graph without the nodes and initializers that no output depends on.
import type { Graph, Node } from './graph.js';

/** Visits the nodes from last to first, and drops each node whose outputs no kept node reads. */
export function withoutUnread(graph: Graph): Graph {
  const read = new Set(graph.outputs.map(({ name }) => name));
  const kept: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((output) => read.has(output))) continue;
    for (const input of node.inputs) read.add(input);
    kept.push(node);
  }
  const initializers = new Map([...graph.initializers].filter(([name]) => read.has(name)));
  return { ...graph, nodes: kept.reverse(), initializers };
}
