// in a worker thread: tasks → the runner → answers, one at a time.
import { getPriority, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { createRunner, type RunnerModel } from './runner.js';
import { unpackImages, type WorkerMessage, type WorkerOrder, type WorkerTask } from './wire.js';

/** What a worker is started with. */
export interface WorkerOptions {
  models: readonly RunnerModel[];
  maxPixels: number;
}

/** Added to what `nice` gave the process; 19 is the most. */
const nicer = 3;

// To Linux a thread is a process: workers leave the processor to the HTTP thread when that has something to do, which makes batches
// larger. Elsewhere the call would be for all threads.
if (process.platform === 'linux') setPriority(Math.min(19, getPriority() + nicer));
const { models, maxPixels } = workerData as WorkerOptions;
const runner = await createRunner(models, maxPixels);

parentPort?.on('message', (order: WorkerOrder) => {
  // With its port closed nothing keeps the thread.
  if ('end' in order) parentPort?.close();
  else void run(order);
});
send({ ready: true });

async function run(task: WorkerTask): Promise<void> {
  const results = await runner.run(task.key, unpackImages(task));
  send({ results, block: task.block }, [task.block]);
}

function send(message: WorkerMessage, moved: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, moved);
}
