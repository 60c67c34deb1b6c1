// an inference worker without models: the first byte of each image is its score; 255 ends the worker, 254 is never answered,
// 253 reads a pipe that nobody writes to, which keeps the thread from ending.
import { readFile } from 'node:fs';
import { getEnvironmentData, parentPort, workerData } from 'node:worker_threads';
import type { RunnerResult } from '../../src/inference/workers/runner.js';
import { unpackImages, type WorkerOrder } from '../../src/inference/workers/wire.js';

const [model] = workerData.models;
if (model?.key === 'broken') throw new Error('this worker never starts');

parentPort?.on('message', (order: WorkerOrder) => {
  if ('end' in order) return parentPort?.close();
  const values = unpackImages(order).map((image) => ('bytes' in image ? (image.bytes[0] ?? 0) : 0));
  if (values.includes(255)) throw new Error('poisoned');
  if (values.includes(254)) return;
  if (values.includes(253)) return readFile(String(getEnvironmentData('pipe')), () => {});
  const results: RunnerResult[] = values.map((value) => ({
    scores: Float32Array.of(value),
    inferenceMs: 0,
    decodeMs: 0,
  }));
  parentPort?.postMessage({ results });
});
parentPort?.postMessage({ ready: true });
