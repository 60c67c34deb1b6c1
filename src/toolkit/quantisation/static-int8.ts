// Float graph + plan + ranges → the same graph with pairs of QuantizeLinear and DequantizeLinear (QDQ), and integer weights and biases.
import { GraphBuilder } from '../graph/builder.js';
import { isPlainGemm } from '../graph/dense.js';
import { freshNames } from '../graph/fresh-names.js';
import type { Graph, Node, TensorData, Value } from '../graph/graph.js';
import { float32Tensor, int8Tensor, int32Tensor, toFloat32Array, uint8Tensor } from '../graph/tensor-data.js';
import { QuantisationError } from './errors.js';
import { dequantiseWeights } from './noise.js';
import {
  type ActivationQuantisation,
  type ActivationType,
  leastWeightScales,
  quantiseBias,
  quantiseRange,
  quantiseWeights,
  type Range,
} from './parameters.js';
import { isWeighted, type QuantisationPlan } from './plan.js';

export interface Int8Types {
  /** Largest integer of a weight: 63 for 7 bits, or 127 for 8. */
  readonly weightLimit: 63 | 127;
  readonly activations: ActivationType;
}

export interface QuantisedGraph {
  readonly graph: Graph;
  /** Name in the float graph → name of the float value that replaces it. */
  readonly values: ReadonlyMap<string, string>;
  /** Real weights of each quantised layer after quantisation, by its name. */
  readonly weights: ReadonlyMap<string, Float32Array>;
}

/**
 * Rewrites a graph. ONNX Runtime fuses `DequantizeLinear → Conv|Gemm → QuantizeLinear` into QLinearConv and QGemm.
 * @throws QuantisationError if weights are not constants, or a range is missing.
 */
export function quantiseGraph(
  graph: Graph,
  plan: QuantisationPlan,
  ranges: ReadonlyMap<string, Range>,
  types: Int8Types,
): QuantisedGraph {
  const rewriter = new Rewriter(graph, plan, ranges, types);
  for (const node of graph.nodes) rewriter.rewrite(node);
  return rewriter.finish();
}

class Rewriter {
  readonly #builder: GraphBuilder;
  /** Name in the float graph → the value that replaces it. */
  readonly #current = new Map<string, Value>();
  /** The same before quantisation, if no integer operator computed it. Layers that stay float read this value. */
  readonly #float = new Map<string, Value>();
  readonly #activations = new Map<string, ActivationQuantisation>();
  readonly #weights = new Map<string, Float32Array>();
  readonly #fresh: (prefix: string) => string;

  constructor(
    readonly graph: Graph,
    readonly plan: QuantisationPlan,
    readonly ranges: ReadonlyMap<string, Range>,
    readonly types: Int8Types,
  ) {
    this.#fresh = freshNames(graph);
    this.#builder = new GraphBuilder(graph.name, [...graph.types.keys(), ...graph.initializers.keys()]);
    for (const { name, type } of graph.inputs) {
      const input = this.#builder.input(name, type.shape, type.dataType);
      this.#float.set(name, input);
      this.#define(name, input);
    }
  }

  rewrite(node: Node): void {
    const [output = ''] = node.outputs;
    const absorbedInput = this.plan.absorbed.get(output);
    if (absorbedInput !== undefined) {
      this.#define(output, this.#value(absorbedInput));
      return;
    }
    const inputs = this.#inputs(node);
    const outputs = node.outputs.map((name) => this.#nameOf(name));
    const made = this.#builder.append({
      ...node,
      // A node may have the name of its output. If the output is renamed, an Identity takes that name.
      name: outputs.join() === node.outputs.join() ? node.name : '',
      inputs: inputs.map((value) => value?.name ?? ''),
      outputs,
    });
    const isFloat = this.#staysFloat(node) || !node.inputs.some((name) => this.plan.quantised.has(name));
    for (const [i, value] of made.entries()) {
      const name = node.outputs[i] ?? '';
      if (isFloat) this.#float.set(name, value);
      this.#define(name, value);
    }
  }

  finish(): QuantisedGraph {
    for (const { name } of this.graph.outputs) this.#builder.output(this.#value(name), name);
    const values = new Map([...this.#current].map(([name, value]) => [name, value.name]));
    return { graph: this.#builder.build(), values, weights: this.#weights };
  }

  /** Renames an output of the graph that is quantised, as the output is then the dequantised value. */
  #nameOf(name: string): string {
    const isOutput = this.graph.outputs.some((output) => output.name === name);
    return isOutput && this.plan.quantised.has(name) ? this.#fresh(`${name}.float`) : name;
  }

  #inputs(node: Node): (Value | undefined)[] {
    if (this.plan.layers.has(node)) return this.#weightedInputs(node);
    const staysFloat = this.#staysFloat(node);
    return node.inputs.map((name) => {
      if (name === '') return undefined;
      return (staysFloat ? this.#float.get(name) : undefined) ?? this.#value(name);
    });
  }

  #staysFloat(node: Node): boolean {
    return isWeighted(node) && !this.plan.layers.has(node);
  }

  /** Stores the value that replaces a value, after quantising it if the plan says so. */
  #define(name: string, value: Value): void {
    const rangeOf = this.plan.quantised.get(name);
    this.#current.set(name, rangeOf === undefined ? value : this.#throughIntegers(value, rangeOf));
  }

  #value(name: string): Value {
    const known = this.#current.get(name);
    if (known) return known;
    const data = this.graph.initializers.get(name);
    if (!data) throw new QuantisationError(`${this.graph.name}: has no value ${name}`);
    const value = this.#builder.initializer(name, data);
    this.#current.set(name, value);
    return value;
  }

  #throughIntegers(value: Value, rangeOf: string): Value {
    const { scale, zeroPoint } = this.#activation(rangeOf);
    const parameters = [this.#builder.scalar(scale), this.#zeroPoint(zeroPoint)];
    const integers = this.#builder.op('QuantizeLinear', [value, ...parameters]);
    return this.#builder.op('DequantizeLinear', [integers, ...parameters]);
  }

  #activation(rangeOf: string): ActivationQuantisation {
    const known = this.#activations.get(rangeOf);
    if (known) return known;
    const range = this.ranges.get(rangeOf);
    if (!range) throw new QuantisationError(`${this.graph.name}: calibration has no range of ${rangeOf}`);
    const activation = quantiseRange(range, `${this.graph.name}: ${rangeOf}`, this.types.activations);
    this.#activations.set(rangeOf, activation);
    return activation;
  }

  #zeroPoint(zeroPoint: number): Value {
    const create = this.types.activations === 'int8' ? int8Tensor : uint8Tensor;
    return this.#builder.shared(`zero:${zeroPoint}`, () => create([zeroPoint], []));
  }

  #weightedInputs(node: Node): Value[] {
    const [x = '', weightName = '', biasName] = node.inputs;
    const weight = this.#constant(node, weightName);
    const channels = weight.dims[0] ?? 0;
    if (node.op === 'Gemm' && !isPlainGemm(node))
      throw new QuantisationError(
        `${node.op} ${node.name}: expected x W' + b with constant weights [outputs, inputs]`,
      );
    const inputScale = this.#activation(this.plan.quantised.get(x) ?? x).scale;
    const bias = biasName ? toFloat32Array(this.#constant(node, biasName)) : new Float32Array(channels);
    const least = leastWeightScales(bias, inputScale);
    const quantised = quantiseWeights(toFloat32Array(weight), channels, this.types.weightLimit, least);
    const { scales, values } = quantised;
    this.#weights.set(node.name, dequantiseWeights(quantised));
    const zeros = int8Tensor(new Int8Array(channels), [channels]);
    const inputs = [this.#value(x), this.#dequantised(int8Tensor(values, weight.dims), scales, zeros)];
    if (!biasName) return inputs;
    const biasIntegers = int32Tensor(quantiseBias(bias, inputScale, scales), [channels]);
    const biasScales = scales.map((scale) => scale * inputScale);
    const biasZeros = int32Tensor(new Int32Array(channels), [channels]);
    return [...inputs, this.#dequantised(biasIntegers, biasScales, biasZeros)];
  }

  #dequantised(integers: TensorData, scales: Float32Array, zeros: TensorData): Value {
    const builder = this.#builder;
    return builder.op(
      'DequantizeLinear',
      [
        builder.unshared(integers),
        builder.unshared(float32Tensor(scales, [scales.length])),
        builder.shared(`zeros:${zeros.dataType}:${scales.length}`, () => zeros),
      ],
      { axis: { int: 0 } },
    );
  }

  #constant(node: Node, name: string): TensorData {
    const data = this.graph.initializers.get(name);
    if (!data)
      throw new QuantisationError(`${node.op} ${node.name}: ${name}: expected constant weights to quantise`);
    return data;
  }
}
