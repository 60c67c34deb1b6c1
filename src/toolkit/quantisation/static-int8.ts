// Float graph + plan + ranges → the same graph with QuantizeLinear / DequantizeLinear pairs (QDQ), weights and biases as integers.
import { GraphBuilder } from '../graph/builder.js';
import type { Graph, Node, TensorData, Value } from '../graph/graph.js';
import { float32Tensor, int8Tensor, int32Tensor, toFloat32Array, uint8Tensor } from '../graph/tensor-data.js';
import { QuantisationError } from './errors.js';
import {
  type ActivationQuantisation,
  leastWeightScales,
  quantiseBias,
  quantiseRange,
  quantiseWeights,
  type Range,
} from './parameters.js';
import { isWeighted, type QuantisationPlan } from './plan.js';

export interface Int8Options {
  /** Largest integer a weight takes: 63 or 127. */
  readonly weightLimit: 63 | 127;
}

/**
 * ONNX Runtime fuses `DequantizeLinear → Conv|Gemm → QuantizeLinear` into QLinearConv and QGemm. The last layer's result stays
 * float: nothing reads it as an integer.
 * @throws QuantisationError when weights are no constants, or a range is missing.
 */
export function quantiseGraph(
  graph: Graph,
  plan: QuantisationPlan,
  ranges: ReadonlyMap<string, Range>,
  options: Int8Options,
): Graph {
  const rewriter = new Rewriter(graph, plan, ranges, options);
  for (const node of graph.nodes) rewriter.rewrite(node);
  return rewriter.finish();
}

class Rewriter {
  readonly #builder: GraphBuilder;
  /** Name in the float graph → the value that stands for it now. */
  readonly #current = new Map<string, Value>();
  readonly #activations = new Map<string, ActivationQuantisation>();

  constructor(
    readonly graph: Graph,
    readonly plan: QuantisationPlan,
    readonly ranges: ReadonlyMap<string, Range>,
    readonly options: Int8Options,
  ) {
    this.#builder = new GraphBuilder(graph.name, graph.types.keys());
    for (const { name, type } of graph.inputs) {
      this.#define(name, this.#builder.input(name, type.shape, type.dataType));
    }
  }

  rewrite(node: Node): void {
    const [output = ''] = node.outputs;
    const absorbedInput = this.plan.absorbed.get(output);
    if (absorbedInput !== undefined) {
      this.#define(output, this.#value(absorbedInput));
      return;
    }
    const inputs = isWeighted(node)
      ? this.#weightedInputs(node)
      : node.inputs.map((name) => this.#value(name));
    this.#builder.append({ ...node, inputs: inputs.map(({ name }) => name) });
    for (const name of node.outputs) this.#define(name, this.#builder.value(name));
  }

  finish(): Graph {
    for (const { name } of this.graph.outputs) this.#builder.output(this.#value(name), name);
    return this.#builder.build();
  }

  /** Remembers what stands for a value; a quantised one goes through integers here. */
  #define(name: string, value: Value): void {
    const rangeOf = this.plan.quantised.get(name);
    this.#current.set(name, rangeOf === undefined ? value : this.#throughIntegers(value, rangeOf));
  }

  #value(name: string): Value {
    const known = this.#current.get(name);
    if (known) return known;
    const data = this.graph.initializers.get(name);
    if (!data) throw new QuantisationError(`${this.graph.name}: there is no value named ${name}`);
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
    if (!range) throw new QuantisationError(`${this.graph.name}: the range of ${rangeOf} was not calibrated`);
    const activation = quantiseRange(range, `${this.graph.name}: ${rangeOf}`);
    this.#activations.set(rangeOf, activation);
    return activation;
  }

  #zeroPoint(zeroPoint: number): Value {
    return this.#builder.shared(`zero:${zeroPoint}`, () => uint8Tensor([zeroPoint], []));
  }

  #weightedInputs(node: Node): Value[] {
    const [x = '', weightName = '', biasName] = node.inputs;
    const weight = this.#constant(node, weightName);
    const channels = weight.dims[0] ?? 0;
    this.#checkLayout(node);
    const inputScale = this.#activation(this.plan.quantised.get(x) ?? x).scale;
    const bias = biasName ? toFloat32Array(this.#constant(node, biasName)) : new Float32Array(channels);
    const { scales, values } = quantiseWeights(
      toFloat32Array(weight),
      channels,
      this.options.weightLimit,
      leastWeightScales(bias, inputScale),
    );
    const inputs = [
      this.#value(x),
      this.#dequantised(
        weightName,
        int8Tensor(values, weight.dims),
        scales,
        int8Tensor(new Int8Array(channels), [channels]),
      ),
    ];
    if (!biasName) return inputs;
    const biasIntegers = int32Tensor(quantiseBias(bias, inputScale, scales), [channels]);
    const biasScales = scales.map((scale) => scale * inputScale);
    const zeros = int32Tensor(new Int32Array(channels), [channels]);
    return [...inputs, this.#dequantised(biasName, biasIntegers, biasScales, zeros)];
  }

  #dequantised(name: string, integers: TensorData, scales: Float32Array, zeros: TensorData): Value {
    const builder = this.#builder;
    return builder.op(
      'DequantizeLinear',
      [
        builder.initializer(name, integers),
        builder.initializer(`${name}.scale`, float32Tensor(scales, [scales.length])),
        builder.shared(`zeros:${zeros.dataType}:${scales.length}`, () => zeros),
      ],
      { axis: { int: 0 } },
    );
  }

  #constant(node: Node, name: string): TensorData {
    const data = this.graph.initializers.get(name);
    if (!data)
      throw new QuantisationError(`${node.op} ${node.name}: ${name} has to be constant to be quantised`);
    return data;
  }

  #checkLayout(node: Node): void {
    const transB = node.attributes.transB;
    const outputsFirst = node.op === 'Conv' || (transB !== undefined && 'int' in transB && transB.int === 1);
    if (!outputsFirst) {
      throw new QuantisationError(`${node.op} ${node.name}: expected weights [outputs, inputs] (transB 1)`);
    }
  }
}
