// a cut backbone → its layers with weights, and the number of last layers that gradients reach.

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

/** The names of the initializers that are trained if the last `count` layers are. */
export function lastLayers(graph: Graph, count: number): string[] {
  return count === 0 ? [] : [...new Set(layerParameters(graph).slice(-count).flat())];
}

/**
 * Checks whether the gradient reaches the first of the last `count` layers.
 * @param whole the backbone with a head.
 * @returns the reason why it does not; undefined if it does.
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
