// in a worker thread: tasks → the runner → answers, one at a time.
import { parentPort, workerData } from 'node:worker_threads';
import { createRunner, type RunnerModel } from './runner.js';
import { unpackImages, type WorkerMessage, type WorkerTask } from './wire.js';

/** What a worker is started with. */
export interface WorkerOptions {
  models: readonly RunnerModel[];
  maxPixels: number;
}

const { models, maxPixels } = workerData as WorkerOptions;
const runner = await createRunner(models, maxPixels);

parentPort?.on('message', (task: WorkerTask) => {
  void runner.run(task.key, unpackImages(task)).then((results) => send({ results }));
});
send({ ready: true });

function send(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}
