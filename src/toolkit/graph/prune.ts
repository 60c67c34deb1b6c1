// Graph → without what no output depends on.
import type { Graph, Node } from './graph.js';

/** Nodes are taken from the last to the first: who is read by no one goes, and with it what it alone reads. */
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
