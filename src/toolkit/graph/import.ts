// A model of any tool → a Graph as Quati writes it: one operator set, constants as initializers, shapes and pads stated.
import { evaluateDims, reshapeTarget } from './dims.js';
import { GraphError } from './errors.js';
import {
  type Attribute,
  type Dim,
  type Graph,
  intAttribute,
  intsAttribute,
  type Node,
  type TensorData,
  type TensorType,
} from './graph.js';
import { readOnnx } from './onnx.js';
import { checkOpset, respell, statePads } from './opsets.js';
import { withoutUnread } from './prune.js';
import { hasRule, inferNode } from './shape-inference.js';
import { describe, normaliseAxis } from './shape-rules.js';
import { float32Tensor, int64Tensor, toIntegers } from './tensor-data.js';
import { transposeData } from './transpose-data.js';

export interface ImportOptions {
  /** The first input's shape. It replaces the shape in the file, whose dimensions may be open. */
  readonly inputShape?: readonly Dim[];
  /** The types that ONNX Runtime infers. They stand in for missing rules. */
  readonly runtimeTypes?: ReadonlyMap<string, TensorType>;
}

/** From this operator set on, an operator without a rule keeps its meaning in the set that Quati writes. */
const oldestForeign = 13;

/**
 * Reads a model. The result has the type of every value.
 *
 * Shapes that the graph computes become constants if they do not depend on the batch. So do reshaped or transposed weights.
 * @param file names the model in errors.
 * @throws GraphError, UnsupportedOperatorError naming the file and the node that Quati cannot read.
 */
export function importOnnx(bytes: Uint8Array, file: string, options: ImportOptions = {}): Graph {
  const { graph, opset } = readOnnx(bytes, file);
  checkOpset(opset, file);
  try {
    return new Importer(withoutUnread(graph), opset, options).run();
  } catch (error) {
    if (!(error instanceof GraphError)) throw named(error, file);
    throw new GraphError(`${file}: ${error.message}`, { cause: error });
  }
}

/** Puts the file's name in front of the message, and keeps the class of the error. */
function named(error: unknown, file: string): unknown {
  if (error instanceof Error) error.message = `${file}: ${error.message}`;
  return error;
}

class Importer {
  readonly #initializers: Map<string, TensorData>;
  readonly #types = new Map<string, TensorType>();
  readonly #runtimeTypes: ReadonlyMap<string, TensorType>;
  /** Vectors of dimensions that depend on the batch and so cannot become constants. */
  readonly #dims = new Map<string, readonly Dim[]>();
  /** Name of a removed value → name of the value to read instead. */
  readonly #aliases = new Map<string, string>();
  readonly #nodes: Node[] = [];
  #added = 0;

  constructor(
    readonly graph: Graph,
    readonly opset: number,
    { inputShape, runtimeTypes = new Map() }: ImportOptions,
  ) {
    this.#runtimeTypes = runtimeTypes;
    this.#initializers = new Map(graph.initializers);
    for (const [name, data] of graph.initializers) this.#type(name, data);
    graph.inputs.forEach(({ name, type }, i) => {
      this.#types.set(name, i === 0 && inputShape ? { ...type, shape: inputShape } : type);
    });
  }

  run(): Graph {
    for (const node of this.graph.nodes) this.#take(node);
    const typed = ({ name, type }: Graph['inputs'][number]) => ({
      name,
      type: this.#types.get(name) ?? type,
    });
    return withoutUnread({
      ...this.graph,
      inputs: this.graph.inputs.map(typed),
      outputs: this.graph.outputs.map(typed),
      initializers: this.#initializers,
      nodes: this.#nodes,
      types: this.#types,
    });
  }

  #take(original: Node): void {
    const aliased = original.inputs.map((name) => this.#aliases.get(name) ?? name);
    const named = { ...original, inputs: aliased };
    if (named.op === 'Constant') this.#constant(named);
    else if (!this.#fold(named)) this.#keep(named);
  }

  #keep(named: Node): void {
    const stated = this.#stated(this.#respelled(named));
    const node = hasRule(stated) ? stated : this.#foreign(named);
    inferNode(node, this.#types, this.#initializers).forEach((type, i) => {
      this.#types.set(node.outputs[i] ?? '', type);
    });
    this.#nodes.push(node);
  }

  #respelled(named: Node): Node {
    return respell(named, {
      opset: this.opset,
      constant: (at, input) => this.#constantInput(at, input),
      rank: (at, input) => this.#shape(at, input).length,
      add: (data) => this.#add(data),
    });
  }

  /** An operator without a rule stays as it is, if ONNX Runtime knows its types. */
  #foreign(node: Node): Node {
    const types = node.outputs.flatMap((output) => this.#runtimeTypes.get(output) ?? []);
    const isTyped = types.length === node.outputs.length && this.opset >= oldestForeign;
    return isTyped ? { ...node, foreign: { opset: this.opset, types } } : node;
  }

  #constant(node: Node): void {
    const data = Object.values(node.attributes).map(constantOf)[0];
    if (!data) throw new GraphError(`${describe(node)}: expected numbers`);
    this.#define(node.outputs[0] ?? '', data);
  }

  /** Removes a node that only renames a value, computes dimensions or reorders a constant. @returns whether it did. */
  #fold(node: Node): boolean {
    const [output = ''] = node.outputs;
    const [source = ''] = node.inputs;
    const data = this.#initializers.get(source);
    if (node.op === 'Identity' && !this.#isOutput(output)) {
      this.#aliases.set(output, source);
      return true;
    }
    if (data?.dataType === 'float32') return this.#foldWeights(node, data);
    const dims = evaluateDims(
      node,
      (input) => this.#knownDims(node.inputs[input]),
      this.#types.get(source)?.shape,
    );
    if (!dims) return false;
    const scalar = node.op === 'Gather' && this.#types.get(node.inputs[1] ?? '')?.shape.length === 0;
    if (dims.every((dim) => typeof dim === 'number'))
      this.#define(output, int64Tensor(dims, scalar ? [] : [dims.length]));
    else {
      this.#dims.set(output, dims);
      this.#types.set(output, { dataType: 'int64', shape: [dims.length] });
    }
    return true;
  }

  #foldWeights(node: Node, data: TensorData): boolean {
    const shape = () => inferNode(this.#stated(node), this.#types, this.#initializers)[0]?.shape.map(Number);
    if (node.op === 'Transpose') {
      const reversed = data.dims.map((_, i) => data.dims.length - 1 - i);
      this.#define(node.outputs[0] ?? '', transposeData(data, intsAttribute(node, 'perm', reversed)));
      return true;
    }
    if (!['Reshape', 'Squeeze', 'Unsqueeze', 'Flatten'].includes(node.op)) return false;
    this.#define(node.outputs[0] ?? '', { ...data, dims: shape() ?? data.dims });
    return true;
  }

  /** Returns the node with its pads, its target shape or the sizes of its parts stated. */
  #stated(node: Node): Node {
    switch (node.op) {
      case 'Conv':
        return statePads(
          node,
          this.#spatial(node),
          intsAttribute(node, 'kernel_shape', this.#spatial(node, 1)),
        );
      case 'MaxPool':
      case 'AveragePool':
        return statePads(node, this.#spatial(node), intsAttribute(node, 'kernel_shape', []));
      case 'Reshape':
        return this.#reshaped(node, this.#wanted(node));
      case 'Squeeze':
      case 'Unsqueeze':
        return this.#reshaped(node, this.#squeezed(node));
      case 'Split':
        return this.#split(node);
      default:
        return node;
    }
  }

  #reshaped(node: Node, to: readonly Dim[] | undefined): Node {
    const target = to && reshapeTarget(this.#shape(node, 0), to);
    if (!target) throw new GraphError(`${describe(node)}: its shape is only known when the model runs`);
    return {
      ...node,
      op: 'Reshape',
      inputs: [node.inputs[0] ?? '', this.#add(int64Tensor(target))],
      attributes: {},
    };
  }

  /** Returns the shape that a Reshape makes. In its constant, 0 copies a dimension and -1 takes the rest. */
  #wanted(node: Node): readonly Dim[] | undefined {
    const from = this.#shape(node, 0);
    const asked = this.#knownDims(node.inputs[1]);
    const copied = asked?.map((dim, axis) => (dim === 0 ? (from[axis] ?? 0) : dim));
    const free = copied?.indexOf(-1) ?? -1;
    if (!copied || free === -1) return copied;
    const left = [...from];
    for (const dim of copied.filter((dim) => typeof dim === 'string'))
      if (left.includes(dim)) left.splice(left.indexOf(dim), 1);
    const rest = copied.reduce<number>((n, dim) => n * (typeof dim === 'number' && dim !== -1 ? dim : 1), 1);
    const size = left.reduce<number>((n, dim) => n * (typeof dim === 'number' ? dim : 1), 1);
    const symbolic = left.filter((dim) => typeof dim === 'string');
    const [only] = symbolic;
    const missing = symbolic.length === 0 ? size / rest : symbolic.length === 1 && size === rest ? only : '?';
    return copied.map((dim, axis) => (axis === free ? (missing ?? '?') : dim));
  }

  #squeezed(node: Node): readonly Dim[] {
    const shape = this.#shape(node, 0);
    const axes = this.#constantInput(node, 1);
    if (node.op === 'Squeeze') {
      const dropped = new Set(axes?.map((axis) => normaliseAxis(axis, shape.length)));
      return shape.filter((dim, axis) => (axes ? !dropped.has(axis) : dim !== 1));
    }
    const rank = shape.length + (axes?.length ?? 0);
    const added = new Set(axes?.map((axis) => normaliseAxis(axis, rank)));
    const rest = [...shape];
    return Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : (rest.shift() ?? 1)));
  }

  #split(node: Node): Node {
    if (node.inputs[1]) return node;
    const shape = this.#shape(node, 0);
    const size = Number(shape[normaliseAxis(intAttribute(node, 'axis', 0), shape.length)]);
    const each = Math.ceil(size / node.outputs.length);
    const sizes = node.outputs.map((_, i) => Math.min(each, size - i * each));
    return { ...node, inputs: [node.inputs[0] ?? '', this.#add(int64Tensor(sizes))] };
  }

  #spatial(node: Node, input = 0): number[] {
    return this.#shape(node, input).slice(2).map(Number);
  }

  #shape(node: Node, input: number): readonly Dim[] {
    const type = this.#types.get(node.inputs[input] ?? '');
    if (!type) throw new GraphError(`${describe(node)}: input ${input} is missing`);
    return type.shape;
  }

  #knownDims(name: string | undefined): readonly Dim[] | undefined {
    const known = this.#dims.get(name ?? '');
    if (known) return known;
    const data = this.#initializers.get(name ?? '');
    const integers =
      data && (data.dataType === 'int64' || data.dataType === 'int32') && data.dims.length <= 1;
    return integers ? toIntegers(data) : undefined;
  }

  #constantInput(node: Node, input: number): number[] | undefined {
    const name = node.inputs[input];
    if (!name) return undefined;
    const data = this.#initializers.get(name);
    if (!data) throw new GraphError(`${describe(node)}: input ${input} (${name}): expected a constant`);
    return toIntegers(data);
  }

  #isOutput(name: string): boolean {
    return this.graph.outputs.some((output) => output.name === name);
  }

  #add(data: TensorData): string {
    const name = `import_${this.#added++}`;
    if (this.#types.has(name)) return this.#add(data);
    this.#define(name, data);
    return name;
  }

  #define(name: string, data: TensorData): void {
    this.#initializers.set(name, data);
    this.#type(name, data);
  }

  #type(name: string, { dataType, dims }: TensorData): void {
    this.#types.set(name, { dataType, shape: dims });
  }
}

/** Returns the data of a Constant node's attribute; undefined for text. */
function constantOf(attribute: Attribute): TensorData | undefined {
  if ('tensor' in attribute) return attribute.tensor;
  if ('float' in attribute) return float32Tensor([attribute.float], []);
  if ('floats' in attribute) return float32Tensor(attribute.floats, [attribute.floats.length]);
  if ('int' in attribute) return int64Tensor([attribute.int], []);
  return 'ints' in attribute ? int64Tensor(attribute.ints) : undefined;
}
