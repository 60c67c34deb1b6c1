// in a worker thread: tasks → the runner → answers, one at a time.
import { getPriority, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { createRunner, type RunnerModel } from './runner.js';
import { unpackImages, type WorkerMessage, type WorkerOrder } from './wire.js';

/** What a worker is started with. */
export interface WorkerOptions {
  models: readonly RunnerModel[];
  maxPixels: number;
}

/** Added to what `nice` gave the process; 19 is the most. */
const nicer = 3;

lowerPriority();
const { models, maxPixels } = workerData as WorkerOptions;
const runner = await createRunner(models, maxPixels);

parentPort?.on('message', (order: WorkerOrder) => {
  // With its port closed nothing keeps the thread.
  if ('end' in order) parentPort?.close();
  else void runner.run(order.key, unpackImages(order)).then((results) => send({ results }));
});
send({ ready: true });

/**
 * To Linux a thread is a process: workers leave the processor to the HTTP thread when that has something to do, which makes batches
 * larger. Elsewhere the call would be for all threads. A sandbox may forbid it: the worker then keeps its priority.
 */
function lowerPriority(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(Math.min(19, getPriority() + nicer));
  } catch {}
}

function send(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}
