// Graph → the same graph with short names, and no names on nodes: names take bytes in the file.
import type { Graph } from './graph.js';

/** The graph's inputs and outputs keep their names, because callers use them. */
export function compactNames(graph: Graph): Graph {
  const kept = new Set([...graph.inputs, ...graph.outputs].map(({ name }) => name));
  const renamed = new Map<string, string>();
  const short = (name: string): string => {
    if (name === '' || kept.has(name)) return name;
    const known = renamed.get(name) ?? unused(renamed.size, kept);
    renamed.set(name, known);
    return known;
  };
  const nodes = graph.nodes.map((node) => ({
    ...node,
    name: '',
    inputs: node.inputs.map(short),
    outputs: node.outputs.map(short),
  }));
  const entries = [...graph.initializers].map(([name, data]) => [short(name), data] as const);
  const types = new Map([...graph.types].map(([name, type]) => [short(name), type]));
  return { ...graph, nodes, initializers: new Map(entries), types };
}

function unused(serial: number, kept: ReadonlySet<string>): string {
  const name = `_${serial.toString(36)}`;
  return kept.has(name) ? `_${name}` : name;
}
