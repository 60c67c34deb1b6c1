// The chosen images of a batch → a data thread → the batch. Pixels are shared with the threads, tensors handed over.
import { Piscina } from 'piscina';
import { sharePixels } from '../../datasets/dataset.js';
import type { Batch, BatchMaker, BatchMakerOptions } from './batches.js';
import type { DataTask } from './data-thread.js';

export interface DataThreadsOptions {
  readonly threads: number;
  /** Tasks at a time, of all threads. */
  readonly ahead: number;
}

export interface DataThreads {
  make(...task: Parameters<BatchMaker>): Promise<Batch>;
  close(): Promise<void>;
}

/** A thread is given its tasks before it is done with the last one: nobody hands it new ones while a step runs. */
export function createDataThreads(
  { split, input, seed, augmentation }: BatchMakerOptions,
  { threads, ahead }: DataThreadsOptions,
): DataThreads {
  const workerData: BatchMakerOptions = { split: sharePixels(split), input, seed, augmentation };
  const piscina = new Piscina<DataTask, Batch>({
    filename: new URL('./data-thread.js', import.meta.url).href,
    workerData,
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: Math.max(1, Math.ceil(ahead / threads)),
    recordTiming: false,
  });
  let closed = false;
  return {
    async make(chosen, epoch) {
      // A destroyed pool that is given a task starts threads again.
      if (closed) throw new Error('the data threads are closed');
      return await piscina.run({ chosen: chosen.slice(), epoch });
    },
    async close() {
      closed = true;
      await piscina.destroy();
    },
  };
}
