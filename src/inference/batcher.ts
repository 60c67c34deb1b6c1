// images that wait, one by one → batches for free workers → each image's own result.
import { DeadlineExceededError, DrainingError, QueueFullError } from './errors.js';
import { createServiceRate } from './service-rate.js';

export interface BatcherOptions<Item, Result> {
  /** Runs one batch of one model; one result or error an item, in order. Called at most `workers` times at once. */
  run: (model: string, items: Item[]) => Promise<(Result | Error)[]>;
  workers: number;
  /** Images in a batch, at most. */
  maxBatch: number;
  /** A model's batches are cut so that they should take no longer; default without bound. */
  maxBatchMs?: number | undefined;
  /** Images that wait, over all models, at most; those that run don't count. */
  maxQueueImages: number;
  /** Bytes of images that wait, over all models, at most; one image may be larger where none waits. Default without bound. */
  maxQueueBytes?: number | undefined;
  /** Of an item; default 0. */
  bytesOf?: (item: Item) => number;
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
  /** Of each model that images wait for: the one that waits longest, and how many there are. */
  queued(): { first: Item; images: number }[];
  /** Batches that run. */
  readonly running: number;
  /**
   * @throws QueueFullError, DeadlineExceededError, DrainingError, the signal's reason, or what `run` gave or threw.
   */
  submit(model: string, item: Item, options?: SubmitOptions): Promise<Result>;
  /** @throws QueueFullError, DrainingError when that many images, of so many bytes together, aren't taken now. */
  checkRoom(images: number, bytes: number): void;
  /** Takes nothing more; resolves when all that was taken has been answered. */
  close(): Promise<void>;
}

interface Waiting<Item, Result> {
  item: Item;
  arrival: number;
  deadlineAt: number;
  timer?: NodeJS.Timeout;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

const minRetryAfterMs = 100;

/**
 * Work-conserving: a free worker takes at once what waits for one model, up to its cap, so an idle server adds no
 * latency and a loaded one fills its batches. Of several models the one whose first image waits longest is next.
 * Invariant: images wait only while all workers run.
 */
export function createBatcher<Item, Result>(options: BatcherOptions<Item, Result>): Batcher<Item, Result> {
  const { run, workers, maxBatch, maxBatchMs = Infinity, maxQueueImages } = options;
  const { maxQueueBytes = Infinity, bytesOf = () => 0, now = () => performance.now() } = options;
  const queues = new Map<string, Set<Waiting<Item, Result>>>();
  const rate = createServiceRate();
  const idle: (() => void)[] = [];
  let arrivals = 0;
  let waiting = 0;
  let waitingBytes = 0;
  let running = 0;
  let draining = false;

  function checkRoom(images: number, bytes: number): void {
    if (draining) throw new DrainingError('The server is shutting down and takes no more images');
    const tooLarge = waiting > 0 && waitingBytes + bytes > maxQueueBytes;
    if (waiting + images <= maxQueueImages && !tooLarge) return;
    const message = tooLarge
      ? `Images of ${waitingBytes} bytes wait already, allowed are ${maxQueueBytes}`
      : `${waiting} images wait already, allowed are ${maxQueueImages}`;
    throw new QueueFullError(message, Math.max(minRetryAfterMs, backlogMs()));
  }

  async function submit(
    model: string,
    item: Item,
    { signal, deadlineAt = Infinity }: SubmitOptions = {},
  ): Promise<Result> {
    checkRoom(1, bytesOf(item));
    signal?.throwIfAborted();
    let leave = () => {};
    try {
      return await new Promise<Result>((resolve, reject) => {
        const entry: Waiting<Item, Result> = { item, arrival: arrivals++, deadlineAt, resolve, reject };
        leave = () => {
          if (remove(model, entry)) reject(signal?.reason);
        };
        signal?.addEventListener('abort', leave, { once: true });
        enqueue(model, entry);
        dispatch();
        if (isWaiting(model, entry)) expireLater(model, entry);
      });
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  function enqueue(model: string, entry: Waiting<Item, Result>): void {
    const queue = queues.get(model) ?? new Set();
    queues.set(model, queue.add(entry));
    waiting++;
    waitingBytes += bytesOf(entry.item);
  }

  function isWaiting(model: string, entry: Waiting<Item, Result>): boolean {
    return queues.get(model)?.has(entry) ?? false;
  }

  function remove(model: string, entry: Waiting<Item, Result>): boolean {
    const queue = queues.get(model);
    if (!queue?.delete(entry)) return false;
    clearTimeout(entry.timer);
    waiting--;
    waitingBytes -= bytesOf(entry.item);
    if (queue.size === 0) queues.delete(model);
    return true;
  }

  function expireLater(model: string, entry: Waiting<Item, Result>): void {
    if (entry.deadlineAt === Infinity) return;
    entry.timer = setTimeout(() => remove(model, entry) && expire(entry), entry.deadlineAt - now());
  }

  function expire({ reject }: Waiting<Item, Result>): void {
    reject(new DeadlineExceededError('The deadline passed while the image waited'));
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
    const cap = batchCap(model);
    const time = now();
    for (const entry of queues.get(model) ?? []) {
      if (batch.length === cap) break;
      remove(model, entry);
      if (entry.deadlineAt > time) batch.push(entry);
      else expire(entry);
    }
    return batch;
  }

  /** What a batch gains it gains at few images; one that takes long makes all the others wait. */
  function batchCap(model: string): number {
    const ms = rate.msPerImage(model);
    return ms === undefined ? maxBatch : Math.max(1, Math.min(maxBatch, Math.floor(maxBatchMs / ms)));
  }

  function backlogMs(): number {
    let ms = 0;
    for (const [model, { size }] of queues) ms += (size * (rate.msPerImage(model) ?? 0)) / workers;
    return ms;
  }

  async function runBatch(model: string, batch: Waiting<Item, Result>[]): Promise<void> {
    running++;
    const start = now();
    try {
      const results = await run(
        model,
        batch.map(({ item }) => item),
      );
      rate.record(model, batch.length, now() - start);
      if (results.length !== batch.length)
        throw new RangeError(`Batch: expected ${batch.length} results, got ${results.length}`);
      for (const [i, entry] of batch.entries()) {
        const result = results[i] as Result | Error;
        if (result instanceof Error) entry.reject(result);
        else entry.resolve(result);
      }
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
    queued: () =>
      [...queues.values()].flatMap((queue) => {
        const [head] = queue;
        return head ? [{ first: head.item, images: queue.size }] : [];
      }),
    submit,
    checkRoom,
    async close() {
      draining = true;
      if (running > 0 || waiting > 0) await new Promise<void>((done) => idle.push(done));
    },
  };
}
