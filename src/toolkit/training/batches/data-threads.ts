// the chosen images of a batch → a data thread → the batch. Pixels are shared with the threads, tensors are transferred.
import { Worker } from 'node:worker_threads';
import { sharePixels } from '../../datasets/dataset.js';
import type { Batch, BatchMakerOptions } from './batches.js';
import type { DataAnswer, DataTask } from './data-thread.js';

export interface DataThreads {
  /** @throws the error of the thread. */
  make(chosen: Uint32Array, epoch: number): Promise<Batch>;
  /** Ends the threads. Unfinished batches are rejected. */
  close(): Promise<void>;
}

/**
 * A thread gets new tasks before it has finished the last one, because nobody can send tasks while a step runs.
 * Each task goes to the thread with the fewest tasks.
 */
export function createDataThreads(options: BatchMakerOptions, threads: number): DataThreads {
  const { split, input, seed, augmentation } = options;
  const shared: BatchMakerOptions = { split: sharePixels(split), input, seed, augmentation };
  const all = Array.from({ length: threads }, () => startDataThread(shared));
  return {
    async make(chosen, epoch) {
      const free = all.reduce((best, next) => (next.waiting() < best.waiting() ? next : best));
      return await free.make({ chosen: chosen.slice(), epoch });
    },
    async close() {
      await Promise.all(all.map((thread) => thread.close()));
    },
  };
}

interface DataThread {
  make(task: DataTask): Promise<Batch>;
  /** The number of its unfinished tasks. */
  waiting(): number;
  close(): Promise<void>;
}

interface Waiting {
  resolve(batch: Batch): void;
  reject(error: unknown): void;
}

function startDataThread(options: BatchMakerOptions): DataThread {
  const thread = new Worker(new URL('./data-thread.js', import.meta.url), { workerData: options });
  const waiting: Waiting[] = [];
  let ended: Error | undefined;
  const end = (error: Error) => {
    ended ??= error;
    for (const { reject } of waiting.splice(0)) reject(ended);
  };
  thread.on('message', (answer: DataAnswer) => {
    const task = waiting.shift();
    if ('batch' in answer) task?.resolve(answer.batch);
    else task?.reject(answer.error);
  });
  thread.on('error', end);
  thread.on('exit', (code) => end(new Error(`a data thread exited with code ${code}`)));
  return {
    make: (task) =>
      new Promise((resolve, reject) => {
        if (ended) return reject(ended);
        waiting.push({ resolve, reject });
        thread.postMessage(task);
      }),
    waiting: () => waiting.length,
    async close() {
      end(new Error('the data threads are closed'));
      await thread.terminate();
    },
  };
}
