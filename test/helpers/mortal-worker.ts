// the inference worker, but some tasks end it: those whose number, counted over all workers, is in `deadlyTasks`.
import { getEnvironmentData, parentPort } from 'node:worker_threads';
import type { WorkerOrder } from '../../src/inference/workers/wire.js';

const counter = getEnvironmentData('tasks') as Int32Array;
const deadlyTasks = new Set(getEnvironmentData('deadly tasks') as number[]);
parentPort?.on('message', (order: WorkerOrder) => {
  if ('images' in order && deadlyTasks.has(Atomics.add(counter, 0, 1) + 1)) process.exit(1);
});
await import('../../src/inference/workers/worker.js');
