// Forward graph with latent weights → the same function with their signs in place of them.

import { signOf } from '../autodiff/sign.js';
import type { Graph, TensorData } from '../graph/graph.js';
import { float32Tensor, toFloat32Array } from '../graph/tensor-data.js';

/** Replaces each Binarise of an initializer by an initializer with its result. */
export function weightsAsSigns(graph: Graph): Graph {
  const initializers = new Map(graph.initializers);
  const nodes = graph.nodes.filter(({ op, inputs: [input = ''], outputs: [output = ''] }) => {
    const latent = op === 'Binarise' ? initializers.get(input) : undefined;
    if (latent) initializers.set(output, signsOf(latent));
    return latent === undefined;
  });
  for (const name of graph.initializers.keys())
    if (!nodes.some(({ inputs }) => inputs.includes(name))) initializers.delete(name);
  return { ...graph, nodes, initializers };
}

function signsOf(latent: TensorData): TensorData {
  return float32Tensor(toFloat32Array(latent).map(signOf), latent.dims);
}
