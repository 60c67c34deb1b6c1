// In a data thread: the chosen images of a batch → augmented tensors, handed over without a copy.
import { parentPort, workerData } from 'node:worker_threads';
import { type Batch, type BatchMakerOptions, createBatchMaker } from './batches.js';

export interface DataTask {
  readonly chosen: Uint32Array;
  readonly epoch: number;
}

/** The thread sends one answer per task, in the order of the tasks. */
export type DataAnswer = { readonly batch: Batch } | { readonly error: unknown };

const make = createBatchMaker(workerData as BatchMakerOptions);

parentPort?.on('message', ({ chosen, epoch }: DataTask) => {
  try {
    const batch = make(chosen, epoch);
    const { images, labels } = batch;
    const answer: DataAnswer = { batch };
    parentPort?.postMessage(answer, [images.buffer as ArrayBuffer, labels.buffer as ArrayBuffer]);
  } catch (error) {
    const answer: DataAnswer = { error };
    parentPort?.postMessage(answer);
  }
});
