// Float graph → what becomes integer: the layers, the values with their ranges, and the Relus that a range replaces.
import { consumers, type Graph, type Node, producers } from '../graph/graph.js';
import { toFloat32Array } from '../graph/tensor-data.js';
import { QuantisationError } from './errors.js';

export interface QuantisationPlan {
  /** Convs and Gemms that run as integers. */
  readonly layers: ReadonlySet<Node>;
  /** Value that gets a QuantizeLinear → value whose range it uses. */
  readonly quantised: ReadonlyMap<string, string>;
  /** Relus and Clips that a range starting at 0 replaces: their output → their input. */
  readonly absorbed: ReadonlyMap<string, string>;
}

/** Operators that move numbers without changing their range. */
const rangePreserving = new Set(['MaxPool', 'Flatten', 'Reshape', 'Transpose', 'Identity']);
/** Other operators that ONNX Runtime has for integers. Add counts only without a constant. */
const integerOperators = new Set(['Add', 'Concat', 'AveragePool', 'GlobalAveragePool']);

export function isWeighted(node: Node): boolean {
  return node.op === 'Conv' || node.op === 'Gemm';
}

/** Returns the layers in the order in which they run. Users name them. @throws QuantisationError if there is none. */
export function quantisableLayers(graph: Graph): readonly Node[] {
  const layers = graph.nodes.filter(isWeighted);
  if (layers.length === 0) throw new QuantisationError(`${graph.name}: has no Conv or Gemm to quantise`);
  return layers;
}

/**
 * Plans which values to quantise:
 * - the activations that a Conv or Gemm reads, and the values before them that Reshape, MaxPool and the like only move;
 * - the inputs of the sums, joins and averages that compute these, as ONNX Runtime has integer operators for them;
 * - the result of every Conv, because ONNX Runtime has no integer Conv with a float result. The last Gemm's result stays float.
 *
 * A Relu or Clip between an integer operator and such a value is absorbed: a QuantizeLinear whose range starts at 0 clips too.
 * If it stayed, ONNX Runtime could not fuse the integer operator.
 * @param excluded names of layers that stay float.
 * @throws QuantisationError if there is nothing to quantise.
 */
export function planQuantisation(graph: Graph, excluded: ReadonlySet<string> = new Set()): QuantisationPlan {
  const layers = new Set(quantisableLayers(graph).filter(({ name }) => !excluded.has(name)));
  if (layers.size === 0) throw new QuantisationError(`${graph.name}: every layer is excluded`);
  const planner = new Planner(graph, layers);
  for (const node of layers) planner.quantiseBack(node.inputs[0] ?? '');
  for (const node of layers) planner.quantiseResult(node);
  return { layers, quantised: planner.quantised, absorbed: planner.absorbed };
}

class Planner {
  readonly quantised = new Map<string, string>();
  readonly absorbed = new Map<string, string>();
  readonly #made: ReadonlyMap<string, Node>;
  readonly #readers: ReadonlyMap<string, readonly Node[]>;
  readonly #outputs: ReadonlySet<string>;

  constructor(
    readonly graph: Graph,
    readonly layers: ReadonlySet<Node>,
  ) {
    this.#made = producers(graph);
    this.#readers = consumers(graph);
    this.#outputs = new Set(graph.outputs.map(({ name }) => name));
  }

  /** Marks a value and its sources. Values that are only moved use the range of the computed value. @returns that value. */
  quantiseBack(value: string): string {
    const known = this.quantised.get(value);
    if (known !== undefined) return known;
    const producer = this.#made.get(value);
    const source = producer?.inputs[0];
    if (producer && source !== undefined && rangePreserving.has(producer.op)) {
      const range = this.quantiseBack(source);
      this.quantised.set(value, range);
      return range;
    }
    this.quantised.set(value, value);
    if (producer && source !== undefined && this.#isAbsorbed(producer)) {
      this.absorbed.set(value, source);
      this.#quantiseOperands(this.#made.get(source));
    } else this.#quantiseOperands(producer);
    return value;
  }

  quantiseResult(layer: Node): void {
    const [output = ''] = layer.outputs;
    const [reader] = this.#readers.get(output) ?? [];
    if (reader && this.#isAbsorbed(reader)) this.quantiseBack(reader.outputs[0] ?? '');
    else if (layer.op === 'Conv') this.quantiseBack(output);
  }

  #quantiseOperands(node: Node | undefined): void {
    if (!node || !this.#isIntegerOperator(node)) return;
    for (const input of node.inputs) this.quantiseBack(input);
  }

  #isIntegerOperator({ op, inputs }: Node): boolean {
    return integerOperators.has(op) && inputs.every((name) => !this.graph.initializers.has(name));
  }

  #isAbsorbed(node: Node): boolean {
    const [input = ''] = node.inputs;
    const producer = this.#made.get(input);
    const alone = this.#readers.get(input)?.length === 1 && !this.#outputs.has(input);
    if (!alone || !producer || !this.#clipsAsRange(node)) return false;
    return this.layers.has(producer) || (producer.op === 'Add' && this.#isIntegerOperator(producer));
  }

  /** Whether a range has the same effect as the node: a range ends at the largest value and always holds 0. */
  #clipsAsRange({ op, inputs }: Node): boolean {
    if (op === 'Relu') return true;
    if (op !== 'Clip') return false;
    const bound = (i: number, free: number) => {
      if (!inputs[i]) return free;
      const data = this.graph.initializers.get(inputs[i]);
      return data ? (toFloat32Array(data)[0] ?? Number.NaN) : Number.NaN;
    };
    return bound(1, Number.NEGATIVE_INFINITY) <= 0 && bound(2, Number.POSITIVE_INFINITY) >= 0;
  }
}
