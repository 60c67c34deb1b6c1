// float32.onnx + calibration images → int8.onnx. READ FIRST for quantisation: calibrate → plan → rewrite → shorten names.
import { compactNames } from '../graph/compact.js';
import { decodeOnnx, encodeOnnx } from '../graph/onnx.js';
import { inferTypes } from '../graph/shape-inference.js';
import { type CalibrationBatch, calibrate } from './calibrate.js';
import { planQuantisation } from './plan.js';
import { type Int8Options, quantiseGraph } from './static-int8.js';

export const defaultInt8Options: Int8Options = { weightLimit: 63 };

/**
 * Static int8: activations uint8 over their calibrated range, weights int8 an output channel, biases int32.
 * @param file names the model in errors.
 * @throws QuantisationError, GraphError, UnsupportedOperatorError; nothing is written here.
 */
export async function quantiseToInt8(
  model: Uint8Array,
  file: string,
  batches: Iterable<CalibrationBatch>,
  options: Int8Options = defaultInt8Options,
): Promise<Uint8Array> {
  const graph = inferTypes({ ...decodeOnnx(model, file), name: file });
  const plan = planQuantisation(graph);
  const ranges = await calibrate(graph, [...new Set(plan.quantised.values())], batches);
  const quantised = quantiseGraph(graph, plan, ranges, options);
  return encodeOnnx({ ...compactNames(quantised), name: 'int8' });
}
