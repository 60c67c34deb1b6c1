// Graph + images → the values of chosen tensors, batch by batch.
import { loadRuntime } from '../../inference/workers/runtime.js';
import type { Graph } from '../graph/graph.js';
import { encodeOnnx } from '../graph/onnx.js';
import { QuantisationError } from './errors.js';
import { type CalibrationBatch, createFeeder, imageInput } from './feeds.js';

export type Observed = ReadonlyMap<string, Float32Array>;

/**
 * Runs the graph with the chosen values as outputs. The input's values come from the images, so a graph of which only these
 * are wanted does not run.
 * @throws QuantisationError if the graph has no such value, or there is no batch.
 */
export async function* observe(
  graph: Graph,
  values: readonly string[],
  batches: Iterable<CalibrationBatch>,
): AsyncGenerator<Observed> {
  const input = imageInput(graph);
  const inner = values.filter((name) => name !== input.name);
  const feed = await createFeeder(input);
  const session = inner.length > 0 ? await openObserved(graph, inner) : undefined;
  let seen = 0;
  try {
    for (const batch of batches) {
      for (const { feeds, values: pixels } of feed(batch)) {
        const results = Object.entries((await session?.run(feeds)) ?? {});
        const observed = results.map(([name, { data }]) => [name, data as Float32Array] as const);
        yield new Map([...observed, [input.name, pixels] as const]);
      }
      seen += batch.count;
    }
  } finally {
    await session?.release();
  }
  if (seen === 0) throw new QuantisationError(`${graph.name}: expected images to calibrate on, found none`);
}

async function openObserved(graph: Graph, names: readonly string[]) {
  const { InferenceSession } = await loadRuntime();
  const outputs = names.map((name) => {
    const type = graph.types.get(name);
    if (!type) throw new QuantisationError(`${graph.name}: has no value ${name}`);
    return { name, type };
  });
  return await InferenceSession.create(encodeOnnx({ ...graph, outputs }), {
    executionProviders: ['cpu'],
    logSeverityLevel: 3,
  });
}
