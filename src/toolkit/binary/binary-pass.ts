// Binarised forward graph with trained weights → the same function with ±1 encoded differently; sums of whole numbers stay exact.
import type { InputContract } from '../../inference/image/contract.js';
import { signOf } from '../autodiff/sign.js';
import { GraphBuilder } from '../graph/builder.js';
import { GraphError } from '../graph/errors.js';
import { consumers, type Graph, type Node, producers, type TensorData, type Value } from '../graph/graph.js';
import { toFloat32Array } from '../graph/tensor-data.js';
import { type Affine, affineOf, composed, type Threshold, thresholdOf } from './norms.js';

/** x = factor w + offset, where the graph holds the whole number w instead of x. */
interface Meaning {
  readonly factor: number;
  readonly offset: number;
}

export interface Weights {
  /** +1 and -1. */
  readonly signs: Float32Array;
  readonly latent: string;
  readonly dims: TensorData['dims'];
}

/** How the graph encodes signs, pixels and their products. */
export interface Encoding {
  readonly signs: Meaning;
  /** Turns pixels k / 255 into k. */
  pixels(builder: GraphBuilder, image: Value): Value;
  /** Adds a Conv or Gemm of whole numbers and ±1. Its sums are float32. */
  wholeProduct(builder: GraphBuilder, node: Node, x: Value, weights: Weights, meaning: Meaning): Value;
  /** Adds a Conv or Gemm of real numbers and ±1. @throws GraphError if the encoding has none. */
  realProduct(builder: GraphBuilder, node: Node, x: Value, weights: Weights): Value;
  /** Turns true into the sign +1 and false into -1. */
  fromBool(builder: GraphBuilder, isAbove: Value): Value;
}

type Pixels = Pick<InputContract, 'scale' | 'mean' | 'std'>;

export function encodeSigns(forward: Graph, input: Pixels, encoding: Encoding): Graph {
  const pass = new BinaryPass(forward, encoding, isBytes(input));
  for (const node of forward.nodes) pass.add(node);
  return pass.build();
}

/** Whether pixels enter as k / 255. */
function isBytes({ scale, mean, std }: Pixels): boolean {
  return scale === 1 / 255 && mean.every((value) => value === 0) && std.every((value) => value === 1);
}

class BinaryPass {
  readonly #builder: GraphBuilder;
  readonly #values = new Map<string, Value>();
  /** Values that are whole numbers → what they mean. */
  readonly #whole = new Map<string, Meaning>();
  /** Values that are sums of whole numbers → what they mean, per channel. */
  readonly #sums = new Map<string, Affine>();
  /**
   * Whether every sign of activations has a normalisation before it, and so a bound of its own. Without one, pixels cannot be
   * whole numbers: in float32, a sum of pixels that is 0 may round to either side of the bound 0, and signs would differ.
   */
  readonly #allNormalised: boolean;
  readonly #producers: ReadonlyMap<string, Node>;
  readonly #readers: ReadonlyMap<string, readonly Node[]>;

  constructor(
    readonly graph: Graph,
    readonly encoding: Encoding,
    readonly bytePixels: boolean,
  ) {
    this.#builder = new GraphBuilder(graph.name, graph.types.keys());
    this.#producers = producers(graph);
    this.#readers = consumers(graph);
    this.#allNormalised = graph.nodes.every(
      (node) => node.op !== 'Binarise' || this.#latentOf(node.outputs[0] ?? '') || this.#normBefore(node),
    );
    for (const { name, type } of graph.inputs) this.#builder.input(name, type.shape, type.dataType);
  }

  build(): Graph {
    for (const { name } of this.graph.outputs) this.#builder.output(this.#value(name), name);
    return this.#builder.build();
  }

  add(node: Node): void {
    const [x = '', weight = ''] = node.inputs;
    const [y = ''] = node.outputs;
    if (this.#endsInSign(node) || this.#latentOf(y)) return;
    const weights = this.#latentOf(weight);
    if (node.op === 'Binarise') this.#addSign(node);
    else if (node.op === 'BatchNormalization') this.#values.set(y, this.#affine(node));
    else if (weights) this.#addProduct(node, weights);
    else {
      this.#keep(node);
      const [whole, sums] = [this.#whole.get(x), this.#sums.get(x)];
      // Pooling and reshaping do not change what a value means.
      if (whole) this.#whole.set(y, whole);
      if (sums) this.#sums.set(y, sums);
    }
  }

  #addProduct(node: Node, weights: Weights): void {
    const [x = '', , bias] = node.inputs;
    const [y = ''] = node.outputs;
    if (bias) throw new GraphError(`${node.op} ${node.name}: a bias is not supported in a layer of ±1`);
    if (this.graph.inputs[0]?.name === x) this.#addPixels(x);
    const whole = this.#whole.get(x);
    if (!whole) {
      this.#values.set(y, this.encoding.realProduct(this.#builder, node, this.#value(x), weights));
      return;
    }
    this.#values.set(y, this.encoding.wholeProduct(this.#builder, node, this.#value(x), weights, whole));
    const totals = sumsOfRows(weights);
    const offsets = totals.map((total) => whole.offset * total);
    this.#sums.set(y, { factors: totals.map(() => whole.factor), offsets });
  }

  #addPixels(image: string): void {
    if (!this.bytePixels || !this.#allNormalised || this.#whole.has(image)) return;
    this.#values.set(image, this.encoding.pixels(this.#builder, this.#value(image)));
    this.#whole.set(image, { factor: 1 / 255, offset: 0 });
  }

  /** Turns a normalisation before a sign into a comparison. */
  #addSign(node: Node): void {
    const [y = ''] = node.outputs;
    const norm = this.#normBefore(node);
    const source = norm?.inputs[0] ?? node.inputs[0] ?? '';
    const identity = { factors: [1], offsets: [0] };
    const sums = this.#sums.get(source);
    const affine = norm ? affineOf(norm, this.graph) : identity;
    const isAbove = sums
      ? this.#compareSums(source, composed(affine, sums))
      : this.#compare(source, 'GreaterOrEqual', thresholdOf(affine));
    this.#values.set(y, this.encoding.fromBool(this.#builder, isAbove));
    this.#whole.set(y, this.encoding.signs);
  }

  /** Sums are whole numbers and bounds lie half-way between two of them, so rounding changes no result. */
  #compareSums(source: string, affine: Affine): Value {
    const { directions, bounds } = thresholdOf(affine);
    return this.#compare(source, 'Greater', {
      directions,
      bounds: bounds.map((bound) => Math.ceil(bound) - 0.5),
    });
  }

  #compare(source: string, op: 'Greater' | 'GreaterOrEqual', threshold: Threshold): Value {
    const x = this.#value(source);
    return this.#builder.op(op, [this.#directed(x, threshold), this.#perChannel(x, threshold.bounds)]);
  }

  /** Returns direction x; x itself if all directions are 1. */
  #directed(x: Value, { directions }: Threshold): Value {
    return directions.every((direction) => direction === 1)
      ? x
      : this.#builder.op('Mul', [x, this.#perChannel(x, directions)]);
  }

  #affine(norm: Node): Value {
    const [source = ''] = norm.inputs;
    const sums = this.#sums.get(source);
    const own = affineOf(norm, this.graph);
    const { factors, offsets } = sums ? composed(own, sums) : own;
    const x = this.#value(source);
    const product = this.#builder.op('Mul', [x, this.#perChannel(x, factors)]);
    return this.#builder.op('Add', [product, this.#perChannel(x, offsets)]);
  }

  /** Adds one number per channel, [C, 1, …], to combine with x. */
  #perChannel(x: Value, values: readonly number[]): Value {
    const ones = x.type.shape.slice(2).map(() => 1);
    return this.#builder.floats(values, [values.length, ...ones]);
  }

  /** Returns the value that replaces a value of the old graph. Copies an initializer on first use. */
  #value(name: string): Value {
    const known = this.#values.get(name);
    if (known) return known;
    const data = this.graph.initializers.get(name);
    const value = data ? this.#builder.initializer(name, data) : this.#builder.value(name);
    this.#values.set(name, value);
    return value;
  }

  #keep(node: Node): void {
    const inputs = node.inputs.map((name) => (name === '' ? '' : this.#value(name).name));
    for (const value of this.#builder.append({ ...node, inputs })) this.#values.set(value.name, value);
  }

  #latentOf(name: string): Weights | undefined {
    const node = this.#producers.get(name);
    const [latent = ''] = node?.inputs ?? [];
    const data = node?.op === 'Binarise' ? this.graph.initializers.get(latent) : undefined;
    return data && { latent, dims: data.dims, signs: toFloat32Array(data).map(signOf) };
  }

  /** Whether a node is a normalisation that only a sign reads. */
  #endsInSign({ op, outputs: [output = ''] }: Node): boolean {
    const [reader, ...others] = this.#readers.get(output) ?? [];
    return op === 'BatchNormalization' && others.length === 0 && reader?.op === 'Binarise';
  }

  #normBefore(sign: Node): Node | undefined {
    const norm = this.#producers.get(sign.inputs[0] ?? '');
    return norm && this.#endsInSign(norm) ? norm : undefined;
  }
}

function sumsOfRows({ signs, dims: [rows = 1] }: Weights): number[] {
  const width = signs.length / rows;
  return Array.from({ length: rows }, (_, row) =>
    signs.subarray(row * width, (row + 1) * width).reduce((sum, value) => sum + value, 0),
  );
}
