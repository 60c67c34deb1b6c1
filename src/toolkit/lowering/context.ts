// What a lowering rule gets and returns, for standard operators and for blocked ones.
import type { GraphBuilder } from '../graph/builder.js';
import type { Node, Value } from '../graph/graph.js';
import type { Layout, Layouts } from './layouts.js';

export interface LoweringContext {
  readonly builder: GraphBuilder;
  readonly node: Node;
  readonly inputs: readonly Value[];
}

export interface BlockedContext {
  readonly builder: GraphBuilder;
  readonly layouts: Layouts;
  readonly node: Node;
  /** Whether a Relu is the only reader of this convolution, which then applies it. */
  readonly fusesRelu: boolean;
}

/** An output of a lowered node, and the layout that it is in. */
export interface Lowered {
  readonly value: Value;
  readonly layout: Layout;
}
