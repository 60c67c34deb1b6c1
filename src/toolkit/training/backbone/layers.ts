// A cut backbone → its layers with weights, and how many of the last ones gradients reach.

import { UnsupportedOperatorError } from '../../graph/errors.js';
import type { Graph, Node } from '../../graph/graph.js';
import { graphNetwork } from '../step/network.js';
import { buildGradientStep } from '../step/step-graph.js';

/** The weight and bias of each Conv, Gemm or MatMul, in the order in which they run. */
export function layerParameters({ nodes, initializers }: Graph): string[][] {
  const isFloat = (name: string) => initializers.get(name)?.dataType === 'float32';
  const layers = nodes
    .filter(({ op }) => op === 'Conv' || op === 'Gemm' || op === 'MatMul')
    .map(({ inputs }: Node) => inputs.slice(1).filter(isFloat));
  return layers.filter((names) => names.length > 0);
}

/** Names of initializers: what learns when the last `count` layers do. */
export function lastLayers(graph: Graph, count: number): string[] {
  return count === 0 ? [] : [...new Set(layerParameters(graph).slice(-count).flat())];
}

/**
 * @param whole the backbone with a head on it.
 * @returns why the gradient does not reach the first of its last `count` layers; undefined when it does.
 */
export function unreached(whole: Graph, backbone: Graph, count: number): string | undefined {
  try {
    const network = graphNetwork(whole, lastLayers(backbone, count));
    buildGradientStep(network.forward(2), network.parameters.layout);
    return undefined;
  } catch (error) {
    if (error instanceof UnsupportedOperatorError) return error.message;
    throw error;
  }
}
