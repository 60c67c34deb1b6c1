// images that wait, one by one → batches for free workers → each image's own result.
import { DeadlineExceededError, DrainingError, QueueFullError } from './errors.js';

export interface BatcherOptions<Item, Result> {
  /** Runs one batch of one model; one result an item, in order. Called at most `workers` times at once. */
  run: (model: string, items: Item[]) => Promise<Result[]>;
  workers: number;
  /** Images in a batch, at most. */
  maxBatch: number;
  /** Images that wait, over all models, at most; those that run don't count. */
  maxQueueImages: number;
  /** Milliseconds on the clock that `deadlineAt` is told on. */
  now?: () => number;
}

export interface SubmitOptions {
  /** While it waits, an aborted image leaves the queue. */
  signal?: AbortSignal | undefined;
  /** An image whose batch doesn't start before this is never run. */
  deadlineAt?: number | undefined;
}

export interface Batcher<Item, Result> {
  /** Images that wait, over all models. */
  readonly waiting: number;
  /** Batches that run. */
  readonly running: number;
  /**
   * @throws QueueFullError, DeadlineExceededError, DrainingError, the signal's reason, or what `run` threw.
   */
  submit(model: string, item: Item, options?: SubmitOptions): Promise<Result>;
  /** Takes nothing more; resolves when all that was taken has been answered. */
  close(): Promise<void>;
}

interface Waiting<Item, Result> {
  item: Item;
  arrival: number;
  deadlineAt: number;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Work-conserving: a free worker takes at once what waits for one model, up to `maxBatch`, so an idle server adds no
 * latency and a loaded one fills its batches. Of several models the one whose first image waits longest is next.
 * Invariant: images wait only while all workers run.
 */
export function createBatcher<Item, Result>(options: BatcherOptions<Item, Result>): Batcher<Item, Result> {
  const { run, workers, maxBatch, maxQueueImages, now = () => performance.now() } = options;
  const queues = new Map<string, Waiting<Item, Result>[]>();
  const idle: (() => void)[] = [];
  let arrivals = 0;
  let waiting = 0;
  let running = 0;
  let draining = false;

  async function submit(
    model: string,
    item: Item,
    { signal, deadlineAt }: SubmitOptions = {},
  ): Promise<Result> {
    if (draining) throw new DrainingError('The server is shutting down and takes no more images');
    signal?.throwIfAborted();
    if (waiting >= maxQueueImages)
      throw new QueueFullError(`${waiting} images wait already, allowed are ${maxQueueImages}`);
    let leave = () => {};
    try {
      return await new Promise<Result>((resolve, reject) => {
        const entry = { item, arrival: arrivals++, deadlineAt: deadlineAt ?? Infinity, resolve, reject };
        leave = () => {
          if (remove(model, entry)) reject(signal?.reason);
        };
        signal?.addEventListener('abort', leave, { once: true });
        enqueue(model, entry);
        dispatch();
      });
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  function enqueue(model: string, entry: Waiting<Item, Result>): void {
    const queue = queues.get(model);
    if (queue) queue.push(entry);
    else queues.set(model, [entry]);
    waiting++;
  }

  function remove(model: string, entry: Waiting<Item, Result>): boolean {
    const queue = queues.get(model) ?? [];
    const at = queue.indexOf(entry);
    if (at < 0) return false;
    queue.splice(at, 1);
    waiting--;
    if (queue.length === 0) queues.delete(model);
    return true;
  }

  function dispatch(): void {
    while (running < workers && waiting > 0) {
      const model = longestWaiting();
      const batch = take(model);
      if (batch.length > 0) void runBatch(model, batch);
    }
    if (running === 0 && waiting === 0) for (const done of idle.splice(0)) done();
  }

  function longestWaiting(): string {
    let next = { model: '', arrival: Infinity };
    for (const [model, [head]] of queues)
      if (head && head.arrival < next.arrival) next = { model, arrival: head.arrival };
    return next.model;
  }

  function take(model: string): Waiting<Item, Result>[] {
    const batch: Waiting<Item, Result>[] = [];
    const time = now();
    for (const entry of [...(queues.get(model) ?? [])]) {
      if (batch.length === maxBatch) break;
      remove(model, entry);
      if (entry.deadlineAt > time) batch.push(entry);
      else entry.reject(new DeadlineExceededError('The deadline passed while the image waited'));
    }
    return batch;
  }

  async function runBatch(model: string, batch: Waiting<Item, Result>[]): Promise<void> {
    running++;
    try {
      const results = await run(
        model,
        batch.map(({ item }) => item),
      );
      if (results.length !== batch.length)
        throw new RangeError(`Batch: expected ${batch.length} results, got ${results.length}`);
      for (const [i, entry] of batch.entries()) entry.resolve(results[i] as Result);
    } catch (error) {
      for (const entry of batch) entry.reject(error);
    } finally {
      running--;
      dispatch();
    }
  }

  return {
    get waiting() {
      return waiting;
    },
    get running() {
      return running;
    },
    submit,
    async close() {
      draining = true;
      if (running > 0 || waiting > 0) await new Promise<void>((done) => idle.push(done));
    },
  };
}
