// Graph → new names that no value in it has.
import type { Graph } from './graph.js';

/** Returns a function that makes a new name, starting with the prefix, at each call. */
export function freshNames(graph: Graph): (prefix: string) => string {
  const taken = new Set([
    ...graph.types.keys(),
    ...graph.initializers.keys(),
    ...graph.nodes.flatMap(({ outputs }) => outputs),
  ]);
  return (prefix) => {
    let name = prefix;
    for (let serial = 1; taken.has(name); serial++) name = `${prefix}.${serial}`;
    taken.add(name);
    return name;
  };
}
