// graph and named values → what ONNX Runtime makes of them.
import type { Tensor } from 'onnxruntime-node';
import { loadRuntime } from '../../src/inference/workers/runtime.js';
import type { Graph } from '../../src/toolkit/graph/graph.js';
import { encodeOnnx } from '../../src/toolkit/graph/onnx.js';

export interface Result {
  readonly dims: readonly number[];
  readonly type: string;
  readonly data: ArrayLike<number | bigint>;
}

/** Float values go in as float32, bigints as int64; sizes are those of the graph's inputs, which have to be numbers. */
export type Feeds = Readonly<Record<string, Float64Array | Float32Array | BigInt64Array>>;

/** Runs without graph optimisations unless asked: what is tested is what was written. */
export async function runGraph(
  graph: Graph,
  feeds: Feeds,
  graphOptimizationLevel: 'disabled' | 'all' = 'disabled',
): Promise<Record<string, Result>> {
  const { InferenceSession, Tensor } = await loadRuntime();
  const session = await InferenceSession.create(encodeOnnx(graph), {
    graphOptimizationLevel,
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const tensors = graph.inputs.map(({ name, type }): [string, Tensor] => {
    const values = feeds[name] ?? [];
    const dims = type.shape.map(Number);
    return values instanceof BigInt64Array
      ? [name, new Tensor('int64', values, dims)]
      : [name, new Tensor('float32', Float32Array.from(values), dims)];
  });
  const results = await session.run(Object.fromEntries(tensors));
  await session.release();
  return Object.fromEntries(
    Object.entries(results).map(([name, { dims, type, data }]) => [
      name,
      { dims, type, data: data as never },
    ]),
  );
}
