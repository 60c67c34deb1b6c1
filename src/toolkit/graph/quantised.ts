// A graph → whether it is quantised already, and by what.
import type { Graph } from './graph.js';

export interface QuantisedPart {
  readonly variant: 'int8' | 'float16';
  /** An operator with its name, or an initializer with its type. */
  readonly part: string;
}

export function findQuantised({ nodes, initializers }: Graph): QuantisedPart | undefined {
  const integer = nodes.find(({ op }) =>
    /^(Dynamic)?(Quantize|Dequantize)Linear$|^QLinear|^QGemm|^(Conv|MatMul)Integer$/.test(op),
  );
  if (integer) return { variant: 'int8', part: `it holds ${integer.op} ${integer.name}` };
  const half = [...initializers].find(([, { dataType }]) => dataType === 'float16');
  return half && { variant: 'float16', part: `${half[0]} is float16` };
}
