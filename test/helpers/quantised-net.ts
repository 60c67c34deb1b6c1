// A small net with seeded weights, images for it, and what ONNX Runtime makes of its quantised variant.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { loadRuntime } from '../../src/inference/workers/runtime.js';
import { buildForward } from '../../src/toolkit/architectures/forward.js';
import {
  type Architecture,
  conv,
  dense,
  flatten,
  maxPool,
  relu,
} from '../../src/toolkit/architectures/layers.js';
import { elementCount, type Graph } from '../../src/toolkit/graph/graph.js';
import { decodeOnnx, encodeOnnx } from '../../src/toolkit/graph/onnx.js';
import { float32Tensor } from '../../src/toolkit/graph/tensor-data.js';
import type { CalibrationBatch } from '../../src/toolkit/quantisation/feeds.js';
import { runGraph } from './run-graph.js';
import { mulberry32, uniform } from './seeded-values.js';

export const side = 12;
const labels = 3;

/** Every kind of place that an integer operator stands in: behind the input, a pool, a flatten, and at the end. */
const smallNet: Architecture = {
  name: 'small',
  input: { channels: 1, height: side, width: side },
  layers: [conv(6), relu, maxPool(), conv(8), relu, flatten, dense(16), relu, dense(labels)],
};

export function smallGraph(seed = 1, architecture = smallNet): Graph {
  const random = mulberry32(seed);
  return buildForward(architecture, {
    batch: 'N',
    parameter({ shape, kind, fanIn, fanOut }) {
      const limit = kind === 'bias' ? 0.1 : Math.sqrt(6 / (fanIn + fanOut));
      return float32Tensor(uniform(random, elementCount(shape), -limit, limit), shape);
    },
  });
}

export function smallModel(seed = 1): Uint8Array {
  return encodeOnnx(smallGraph(seed));
}

/** Pixels as the serving code gives them: multiples of 1/255 in 0…1. */
export function randomImages(count: number, seed: number, length = side * side): Float32Array {
  return Float32Array.from(uniform(mulberry32(seed), count * length, 0, 256), (value) =>
    Math.fround(Math.floor(value) / 255),
  );
}

export function randomBatches(batches: number, count: number, seed = 5): CalibrationBatch[] {
  return Array.from({ length: batches }, (_, i) => ({ images: randomImages(count, seed + i), count }));
}

/** @param observe a value that is returned instead of the outputs. */
export async function runModel(
  model: Uint8Array,
  images: Float32Array,
  { observe, optimisations = 'all' }: { observe?: string; optimisations?: 'all' | 'disabled' } = {},
): Promise<Float64Array> {
  const graph = decodeOnnx(model);
  const [input] = graph.inputs;
  if (!input) throw new Error('the model has no input');
  const [, ...image] = input.type.shape.map(Number);
  const fixed = { ...input.type, shape: [images.length / elementCount(image), ...image] };
  const outputs = observe
    ? [{ name: observe, type: { dataType: 'float32' as const, shape: [] } }]
    : graph.outputs;
  const results = await runGraph(
    { ...graph, inputs: [{ ...input, type: fixed }], outputs },
    { [input.name]: images },
    optimisations,
  );
  const [result] = Object.values(results);
  return Float64Array.from(result?.data ?? [], Number);
}

/** How often each operator stands in the graph that ONNX Runtime really runs, set as it serves. @param folder for a temporary file. */
export async function optimisedOperators(model: Uint8Array, folder: string): Promise<Record<string, number>> {
  const { InferenceSession } = await loadRuntime();
  const file = path.join(folder, 'optimised.onnx');
  const session = await InferenceSession.create(model, {
    graphOptimizationLevel: 'all',
    optimizedModelFilePath: file,
    logSeverityLevel: 4,
    extra: { session: { qdqisint8allowed: '1' } },
  });
  await session.release();
  return operatorCounts(decodeOnnx(await readFile(file), file));
}

export function operatorCounts({ nodes }: Pick<Graph, 'nodes'>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { op } of nodes) counts[op] = (counts[op] ?? 0) + 1;
  return counts;
}

/** Signal over error, in decibels: 20 dB is an error of a tenth. */
export function signalToNoise(expected: Float64Array, actual: Float64Array): number {
  const power = (values: Float64Array) => values.reduce((sum, value) => sum + value * value, 0);
  const error = expected.map((value, i) => value - (actual[i] ?? Number.NaN));
  return 10 * Math.log10(power(expected) / power(error));
}
