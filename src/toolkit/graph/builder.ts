// One call per operator → a Graph. Each call checks the shapes.
import { GraphError } from './errors.js';
import type { Attributes, DataType, Dim, Graph, Node, TensorData, TensorType, Value } from './graph.js';
import { inferNode, type Operator, onnxName } from './shape-inference.js';
import { float32Tensor, int64Tensor } from './tensor-data.js';

export interface NodeOptions {
  readonly attributes?: Attributes;
  /** Names of the outputs. The builder makes them up if they are missing. */
  readonly outputs?: readonly string[];
  readonly name?: string;
}

export class GraphBuilder {
  readonly #inputs: Value[] = [];
  readonly #outputs: Value[] = [];
  readonly #nodes: Node[] = [];
  readonly #initializers = new Map<string, TensorData>();
  readonly #types = new Map<string, TensorType>();
  readonly #constants = new Map<string, Value>();
  readonly #name: string;
  readonly #reserved: ReadonlySet<string>;
  #counter = 0;

  /** @param reserved names that the builder does not make up, because values with these names follow. */
  constructor(name: string, reserved: Iterable<string> = []) {
    this.#name = name;
    this.#reserved = new Set(reserved);
  }

  /** Returns a builder that holds the graph's inputs, initializers and nodes. Its outputs have to be declared again. */
  static from(graph: Graph): GraphBuilder {
    const builder = new GraphBuilder(graph.name);
    for (const { name, type } of graph.inputs) builder.input(name, type.shape, type.dataType);
    for (const [name, data] of graph.initializers) builder.initializer(name, data);
    for (const node of graph.nodes) builder.append(node);
    return builder;
  }

  input(name: string, shape: readonly Dim[], dataType: DataType = 'float32'): Value {
    const value = this.#define(name, { dataType, shape });
    this.#inputs.push(value);
    return value;
  }

  initializer(name: string, data: TensorData): Value {
    const value = this.#define(name, { dataType: data.dataType, shape: data.dims });
    this.#initializers.set(name, data);
    return value;
  }

  /** Adds a constant under a new name. */
  unshared(data: TensorData): Value {
    return this.initializer(this.#freshName('const', this.#counter++, 0), data);
  }

  /** Adds a constant once: every later call with the same key returns the same value. */
  shared(key: string, create: () => TensorData): Value {
    const known = this.#constants.get(key);
    if (known) return known;
    const value = this.unshared(create());
    this.#constants.set(key, value);
    return value;
  }

  /** Adds a float32 scalar once per number. */
  scalar(value: number): Value {
    return this.shared(`f:${value}`, () => float32Tensor([value], []));
  }

  /** Adds an int64 vector once per content. Shapes, axes and pads are such vectors. */
  integers(values: readonly number[]): Value {
    return this.shared(`i:${values.join()}`, () => int64Tensor(values));
  }

  /** Adds a float32 tensor once per content and shape. */
  floats(values: readonly number[], shape: readonly number[]): Value {
    return this.shared(`f:${values.join()}:${shape.join()}`, () => float32Tensor(values, shape));
  }

  /** Adds an operator with one output. @throws GraphError if the inputs do not fit it. */
  op(op: Operator, inputs: readonly (Value | undefined)[], attributes: Attributes = {}): Value {
    const [value] = this.ops(op, inputs, 1, { attributes });
    return value as Value;
  }

  /** Adds an operator with `count` outputs. @throws GraphError if the inputs do not fit it. */
  ops(
    op: Operator,
    inputs: readonly (Value | undefined)[],
    count: number,
    { attributes = {}, outputs, name }: NodeOptions = {},
  ): Value[] {
    const serial = this.#counter++;
    const outputNames = outputs ?? Array.from({ length: count }, (_, i) => this.#freshName(op, serial, i));
    return this.append({
      ...onnxName(op),
      // ONNX Runtime requires unique node names. Output names are unique.
      name: name ?? outputNames[0] ?? op,
      inputs: inputs.map((input) => input?.name ?? ''),
      outputs: outputNames,
      attributes,
    });
  }

  /** Adds a node unchanged. @throws GraphError if its inputs do not fit it. */
  append(node: Node): Value[] {
    const types = inferNode(node, this.#types, this.#initializers);
    const values = node.outputs.map((output, i) => {
      const type = types[i];
      if (!type) throw new GraphError(`${node.op} ${node.name}: has no output ${i}`);
      return this.#define(output, type);
    });
    this.#nodes.push(node);
    return values;
  }

  value(name: string): Value {
    const type = this.#types.get(name);
    if (!type) throw new GraphError(`${this.#name}: has no value ${name}`);
    return { name, type };
  }

  /** Returns the data of an initializer; undefined for any other value. */
  constantData(name: string): TensorData | undefined {
    return this.#initializers.get(name);
  }

  /** Declares a value as an output of the graph. A new name takes an Identity node. */
  output(value: Value, name = value.name): Value {
    const output =
      name === value.name ? value : (this.ops('Identity', [value], 1, { outputs: [name] })[0] as Value);
    this.#outputs.push(output);
    return output;
  }

  build(): Graph {
    return {
      name: this.#name,
      inputs: this.#inputs,
      outputs: this.#outputs,
      initializers: this.#initializers,
      nodes: this.#nodes,
      types: this.#types,
    };
  }

  #define(name: string, type: TensorType): Value {
    if (this.#types.has(name)) throw new GraphError(`${this.#name}: ${name} is defined twice`);
    this.#types.set(name, type);
    return { name, type };
  }

  #freshName(prefix: string, serial: number, index: number): string {
    const name = index === 0 ? `${prefix}_${serial}` : `${prefix}_${serial}.${index}`;
    const taken = this.#types.has(name) || this.#reserved.has(name);
    return taken ? this.#freshName(prefix, this.#counter++, index) : name;
  }
}

/** Returns a value's shape. @throws GraphError naming the value if one of its dimensions is not a number. */
export function staticShape(value: Value): number[] {
  return value.type.shape.map((dim) => {
    if (typeof dim !== 'number') {
      throw new GraphError(
        `${value.name}: expected a number for dimension ${dim} of [${value.type.shape.join(', ')}]`,
      );
    }
    return dim;
  });
}
