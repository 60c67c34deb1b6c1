// Float graph → what becomes integer: which values are quantised, whose range each takes, which Relus disappear into ranges.
import { consumers, type Graph, type Node, producers } from '../graph/graph.js';
import { QuantisationError } from './errors.js';

export interface QuantisationPlan {
  /** Value that gets a QuantizeLinear → value whose range it takes. */
  readonly quantised: ReadonlyMap<string, string>;
  /** Relus whose work a range that starts at 0 does: their output → their input. */
  readonly absorbed: ReadonlyMap<string, string>;
}

/** Operators that move numbers without changing their range. */
const rangePreserving = new Set(['MaxPool', 'Flatten', 'Reshape', 'Transpose', 'Identity']);

export function isWeighted(node: Node): boolean {
  return node.op === 'Conv' || node.op === 'Gemm';
}

/**
 * Quantised are the activations that a Conv or Gemm reads, and what they are moved from without change, back to where they
 * are computed. A Relu between a Conv or Gemm and such a value is absorbed, because a QuantizeLinear whose range starts at 0
 * clips as it does; left in place it would keep ONNX Runtime from fusing the integer operator.
 * @throws QuantisationError when the graph is quantised already, or there is nothing to quantise.
 */
export function planQuantisation(graph: Graph): QuantisationPlan {
  const quantisedAlready = graph.nodes.find(({ op }) =>
    /^(Dynamic)?(Quantize|Dequantize)Linear$|^QLinear|^QGemm/.test(op),
  );
  if (quantisedAlready) {
    throw new QuantisationError(
      `${graph.name}: is quantised already: it holds ${quantisedAlready.op} ${quantisedAlready.name}`,
    );
  }
  const weighted = graph.nodes.filter(isWeighted);
  if (weighted.length === 0) throw new QuantisationError(`${graph.name}: has no Conv or Gemm to quantise`);
  const made = producers(graph);
  const quantised = new Map<string, string>();
  for (const node of weighted) quantiseBack(node.inputs[0] ?? '', made, quantised);
  return { quantised, absorbed: absorbedRelus(graph, quantised, made) };
}

/** Marks a value and its sources; all of them take the range of the value that was computed. */
function quantiseBack(
  value: string,
  made: ReadonlyMap<string, Node>,
  quantised: Map<string, string>,
): string {
  const known = quantised.get(value);
  if (known !== undefined) return known;
  const producer = made.get(value);
  const source = producer?.inputs[0];
  const range =
    producer && source !== undefined && rangePreserving.has(producer.op)
      ? quantiseBack(source, made, quantised)
      : value;
  quantised.set(value, range);
  return range;
}

function absorbedRelus(
  graph: Graph,
  quantised: ReadonlyMap<string, string>,
  made: ReadonlyMap<string, Node>,
): Map<string, string> {
  const readers = consumers(graph);
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const absorbed = new Map<string, string>();
  for (const { op, inputs, outputs: results } of graph.nodes) {
    const [input = ''] = inputs;
    const [output = ''] = results;
    const producer = made.get(input);
    const onlyReader = readers.get(input)?.length === 1 && !outputs.has(input);
    if (op === 'Relu' && quantised.has(output) && producer && isWeighted(producer) && onlyReader) {
      absorbed.set(output, input);
    }
  }
  return absorbed;
}
