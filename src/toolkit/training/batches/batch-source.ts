// A run's images → its training batches in order: made when asked for, or ahead of time in data threads.
import { isAugmenting } from '../../augmentation/augmentation.js';
import { type Batch, type BatchMakerOptions, batchCount, batchOf, createBatchMaker } from './batches.js';
import { createDataThreads } from './data-threads.js';

export interface BatchSourceOptions extends BatchMakerOptions {
  readonly batchSize: number;
  /** Threads that augment; 0: the caller's own. Batches are the same, bit by bit, whatever the number. */
  readonly threads: number;
  /** Batches under way or waiting at a time, with threads. Default: 6. */
  readonly ahead?: number;
}

export interface BatchSource {
  /**
   * Batches `first`, `first + 1`, … of the images in `order`, as they are in that epoch. No more than `ahead` are made
   * before they are asked for; leaving early drops them.
   * @throws what went wrong in a data thread, at the batch that it went wrong with.
   */
  read(order: Uint32Array, epoch: number, first: number): AsyncGenerator<Batch, void, undefined>;
  /** Ends the data threads, whatever they are doing. */
  close(): Promise<void>;
}

/** Without augmentation no thread is started: looking a batch up takes less time than handing it over. */
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

/** A queue of promises: they are kept in the order of the batches, whichever is fulfilled first. */
function createRead(make: AsyncMaker, batchSize: number, ahead: number): BatchSource['read'] {
  return async function* read(order, epoch, first) {
    const batches = batchCount(order.length, batchSize);
    const queue: Promise<Batch>[] = [];
    let next = first;
    const fill = (length: number) => {
      for (; next < batches && queue.length < length; next++) {
        const batch = make(batchOf(order, next, batchSize), epoch);
        // Thrown where it is awaited; until then, or when nobody comes for it, it is no unhandled rejection.
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
