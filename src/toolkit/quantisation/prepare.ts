// The bytes of a float model, of Quati or another tool → the graph to quantise: BatchNorm and biases folded, dense layers as Gemm.
import { canonicalLayers } from '../graph/dense.js';
import type { Dim, Graph } from '../graph/graph.js';
import { toInferenceMode } from '../graph/inference-mode.js';
import { readOnnx } from '../graph/onnx.js';
import { findQuantised } from '../graph/quantised.js';
import { readModel } from '../graph/read-model.js';
import { QuantisationError } from './errors.js';

export interface PrepareGraphOptions {
  /** The input's shape, if the model leaves dimensions open. */
  readonly inputShape?: readonly Dim[];
}

/** Reads a float model. @throws QuantisationError if it is quantised; GraphError, UnsupportedOperatorError naming file and node. */
export async function prepareGraph(
  model: Uint8Array,
  file: string,
  options: PrepareGraphOptions = {},
): Promise<Graph> {
  const quantised = findQuantised(readOnnx(model, file).graph);
  if (quantised) throw new QuantisationError(`${file}: is already quantised: ${quantised.part}`);
  return { ...toInferenceMode(canonicalLayers(await readModel(model, file, options))), name: file };
}
