// Float graph + images → the range of every activation that will be quantised (minimum and maximum over all images).
import { loadRuntime } from '../../inference/runtime.js';
import type { Graph } from '../graph/graph.js';
import { encodeOnnx } from '../graph/onnx.js';
import { QuantisationError } from './errors.js';
import type { Range } from './parameters.js';

/** Tensors as the serving code makes them: [count, C, H, W], flat. */
export interface CalibrationBatch {
  readonly images: Float32Array;
  readonly count: number;
}

/**
 * Runs the graph with the asked-for values as outputs.
 * @throws QuantisationError when there is no batch.
 */
export async function calibrate(
  graph: Graph,
  values: readonly string[],
  batches: Iterable<CalibrationBatch>,
): Promise<Map<string, Range>> {
  const [input] = graph.inputs;
  if (!input) throw new QuantisationError(`${graph.name}: has no input`);
  const observed = values
    .filter((name) => name !== input.name)
    .map((name) => ({ name, type: typeOf(graph, name) }));
  const { Tensor } = await loadRuntime();
  const session = await openObserved({ ...graph, outputs: observed });
  const ranges = new Map<string, Range>();
  const observe = (name: string, data: Float32Array) => {
    const known = ranges.get(name) ?? { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };
    ranges.set(name, data.reduce(widen, known));
  };
  let seen = 0;
  try {
    for (const { images, count } of batches) {
      const shape = [count, ...input.type.shape.slice(1).map(Number)];
      const results = await session?.run({ [input.name]: new Tensor('float32', images, shape) });
      for (const [name, { data }] of Object.entries(results ?? {})) observe(name, data as Float32Array);
      if (values.includes(input.name)) observe(input.name, images);
      seen += count;
    }
  } finally {
    await session?.release();
  }
  if (seen === 0) throw new QuantisationError(`${graph.name}: there is no image to calibrate on`);
  return ranges;
}

/** The input's range is read from the images; where nothing else is asked for, there is nothing to run. */
async function openObserved(graph: Graph) {
  if (graph.outputs.length === 0) return undefined;
  const { InferenceSession } = await loadRuntime();
  return await InferenceSession.create(encodeOnnx(graph), {
    executionProviders: ['cpu'],
    logSeverityLevel: 3,
  });
}

function typeOf(graph: Graph, name: string) {
  const type = graph.types.get(name);
  if (!type) throw new QuantisationError(`${graph.name}: there is no value named ${name}`);
  return type;
}

function widen(range: Range, value: number): Range {
  if (value >= range.min && value <= range.max) return range;
  return { min: Math.min(range.min, value), max: Math.max(range.max, value) };
}
