// The graph that every stage takes and returns: ONNX's own terms as plain data.

export type DataType = 'float32' | 'float16' | 'uint8' | 'int8' | 'int32' | 'int64' | 'bool';

/** A size, or the name of a size that is only known when the graph runs, as `N` for the batch. */
export type Dim = number | string;

export interface TensorType {
  readonly dataType: DataType;
  readonly shape: readonly Dim[];
}

/** A tensor that a node reads or writes. Its name is unique in the graph. */
export interface Value {
  readonly name: string;
  readonly type: TensorType;
}

/** Constant data: little-endian and row-major, as in ONNX's raw_data. */
export interface TensorData {
  readonly dataType: DataType;
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
}

export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] }
  | { readonly string: string }
  | { readonly strings: readonly string[] }
  | { readonly tensor: TensorData };

export type Attributes = Readonly<Record<string, Attribute>>;

export interface Node {
  readonly op: string;
  /** '' is ONNX itself. `quati` holds Quati's own operators, which lowering replaces before the graph runs. */
  readonly domain: string;
  readonly name: string;
  /** '' stands for an optional input that is missing. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
  /** Only of an operator that Quati has no rule for. */
  readonly foreign?: ForeignNode;
}

/** What Quati cannot know of an operator by itself. */
interface ForeignNode {
  /** The version of ONNX's operator set that the node is written for. */
  readonly opset: number;
  /** The types of its outputs; none if they are not known. */
  readonly types: readonly TensorType[];
}

export interface Graph {
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly initializers: ReadonlyMap<string, TensorData>;
  /** In an order in which they can run: a node comes after those whose outputs it reads. */
  readonly nodes: readonly Node[];
  /** The types of all inputs, initializers and node outputs, as far as they are known. */
  readonly types: ReadonlyMap<string, TensorType>;
}

/** The operator set of the graphs that Quati writes. An operator without a rule may need a newer one. */
export const opset = 17;

export function intAttribute(node: Pick<Node, 'attributes'>, name: string, fallback: number): number {
  const attribute = node.attributes[name];
  return attribute && 'int' in attribute ? attribute.int : fallback;
}

export function floatAttribute(node: Pick<Node, 'attributes'>, name: string, fallback: number): number {
  const attribute = node.attributes[name];
  return attribute && 'float' in attribute ? attribute.float : fallback;
}

export function intsAttribute(
  node: Pick<Node, 'attributes'>,
  name: string,
  fallback: readonly number[],
): readonly number[] {
  const attribute = node.attributes[name];
  return attribute && 'ints' in attribute ? attribute.ints : fallback;
}

export function stringAttribute(node: Pick<Node, 'attributes'>, name: string, fallback: string): string {
  const attribute = node.attributes[name];
  return attribute && 'string' in attribute ? attribute.string : fallback;
}

/** Returns how many elements a tensor of this shape has. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

export function formatType(type: TensorType): string {
  return `${type.dataType}[${type.shape.join(', ')}]`;
}

/** Returns the node that writes each value, by the value's name. */
export function producers(graph: Pick<Graph, 'nodes'>): Map<string, Node> {
  return new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
}

/** Returns the nodes that read each value, by the value's name. */
export function consumers(graph: Pick<Graph, 'nodes'>): Map<string, Node[]> {
  const readers = new Map<string, Node[]>();
  for (const node of graph.nodes) {
    for (const input of new Set(node.inputs)) {
      const known = readers.get(input);
      if (known) known.push(node);
      else readers.set(input, [node]);
    }
  }
  return readers;
}
