// In a worker thread: tasks → the runner → results, one task at a time.
import { getPriority, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { freeBuffer } from '../free-buffer.js';
import { createRunner, type RunnerModel, type RunnerResult } from './runner.js';
import { unpackImages, type WorkerMessage, type WorkerOrder, type WorkerTask } from './wire.js';

/** The data that a worker starts with. */
export interface WorkerOptions {
  models: readonly RunnerModel[];
  maxPixels: number;
  /** Whether another worker with these models stopped before. */
  replaces: boolean;
}

/** Added to the niceness of the process; the maximum is 19. */
const nicer = 3;

lowerPriority();
const { models, maxPixels, replaces } = workerData as WorkerOptions;
const runner = await createRunner(models, maxPixels, { mustOpen: replaces });

parentPort?.on('message', (order: WorkerOrder) => {
  // With its port closed, nothing keeps the thread alive.
  if ('end' in order) parentPort?.close();
  else void run(order).then((results) => send({ results }));
});
send({ ready: true });

async function run(task: WorkerTask): Promise<RunnerResult[]> {
  const results = await runner.run(task.key, unpackImages(task));
  freeBuffer(task.block);
  return results;
}

/**
 * Lowers the priority of a worker. On Linux each thread has its own priority, so the HTTP thread runs first, and batches become
 * larger. On other systems the call would affect all threads. If a sandbox forbids it, the worker keeps its priority.
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
