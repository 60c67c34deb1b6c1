// the images of a run → its training batches in order, made on request or in advance in data threads.
import { isAugmenting } from '../../augmentation/augmentation.js';
import { type Batch, type BatchMakerOptions, batchCount, batchOf, createBatchMaker } from './batches.js';
import { createDataThreads } from './data-threads.js';

export interface BatchSourceOptions extends BatchMakerOptions {
  readonly batchSize: number;
  /** The number of threads that augment; 0: the caller's thread. It does not change the batches, bit by bit. */
  readonly threads: number;
  /** With threads: the most batches that are in progress or waiting. Default: 6. */
  readonly ahead?: number;
}

export interface BatchSource {
  /**
   * Returns the batches `first`, `first + 1`, … of the images in `order` for that epoch. At most `ahead` batches are made in advance;
   * if the caller stops early, they are dropped.
   * @throws the error of a data thread, when its batch is read.
   */
  read(order: Uint32Array, epoch: number, first: number): AsyncGenerator<Batch, void, undefined>;
  /** Ends the data threads at once. */
  close(): Promise<void>;
}

/** Without augmentation no thread is started, because making such a batch takes less time than transferring it. */
export function createBatchSource(options: BatchSourceOptions): BatchSource {
  const { batchSize, threads, ahead = 6, augmentation } = options;
  if (threads > 0 && isAugmenting(augmentation)) {
    const { make, close } = createDataThreads(options, threads);
    return { read: createRead(make, batchSize, ahead), close };
  }
  const maker = createBatchMaker(options);
  const make = async (chosen: Uint32Array, epoch: number) => maker(chosen, epoch);
  return { read: createRead(make, batchSize, 0), close: async () => undefined };
}

type AsyncMaker = (chosen: Uint32Array, epoch: number) => Promise<Batch>;

/** A queue of promises in the order of the batches, in whatever order they are fulfilled. */
function createRead(make: AsyncMaker, batchSize: number, ahead: number): BatchSource['read'] {
  return async function* read(order, epoch, first) {
    const batches = batchCount(order.length, batchSize);
    const queue: Promise<Batch>[] = [];
    let next = first;
    const fill = (length: number) => {
      for (; next < batches && queue.length < length; next++) {
        const batch = make(batchOf(order, next, batchSize), epoch);
        // The error is thrown where the batch is awaited. Until then it must not be an unhandled rejection.
        batch.catch(() => undefined);
        queue.push(batch);
      }
    };
    for (let index = first; index < batches; index++) {
      fill(Math.max(1, ahead));
      const batch = await queue.shift();
      fill(ahead);
      if (batch) yield batch;
    }
  };
}
