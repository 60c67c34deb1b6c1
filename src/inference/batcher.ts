// Single waiting images → batches for free workers → the result of each image.
import { monotonicMs } from './clock.js';
import { DeadlineExceededError, DrainingError, QueueFullError, WorkerLostError } from './errors.js';
import { createServiceRate } from './service-rate.js';

/** The queue to the workers of one model. Only images of the same lane run in one batch. */
export interface Lane<Item, Result> {
  /** The model. Its lanes before and after a reload share its measured service time. */
  readonly key: string;
  /**
   * Takes a free worker, which is busy until its batch has run. Returns undefined if no worker is free.
   * @throws WorkersUnavailableError when no worker can be started.
   */
  take(): RunBatch<Item, Result> | undefined;
}

/** Resolves to one result or error per item, in order. @throws WorkerLostError when the worker stopped before it responded. */
type RunBatch<Item, Result> = (items: Item[]) => Promise<(Result | Error)[]>;

export interface BatcherOptions<Item> {
  /** The most batches that run at the same time, over all models. */
  workers: number;
  /** The most images in a batch. */
  maxBatch: number;
  /** The longest time that a batch should take: larger batches are split. No limit by default. */
  maxBatchMs?: number | undefined;
  /** The most waiting images, over all models. Running images do not count. */
  maxQueueImages: number;
  /** The most bytes of waiting images, over all models. A single image may be larger if no image waits. No limit by default. */
  maxQueueBytes?: number | undefined;
  /** Returns the size of an item in bytes; 0 by default. */
  bytesOf?: (item: Item) => number;
  /** The most memory that all running images may take together; a single image may take more. No limit by default. */
  maxRunningCost?: number | undefined;
  /** Returns the most memory that an item takes while it runs; 0 by default. */
  costOf?: (item: Item) => number;
  /** The clock of deadlines; monotonicMs by default. */
  now?: () => number;
}

export interface SubmitOptions {
  /** An abort removes a waiting image from the queue. */
  signal?: AbortSignal | undefined;
  /** An image is never run if its batch has not started by this time, on the clock of `now`. */
  deadline?: number | undefined;
}

export interface Batcher<Item, Result> {
  /** The number of waiting images, over all models. */
  readonly waiting: number;
  /** For each lane with waiting images: the oldest image, and the number of images. */
  queued(): { first: Item; images: number }[];
  /** The number of running batches. */
  readonly running: number;
  /**
   * Runs one item. If its worker is lost, the item runs again, alone in a batch.
   * @throws QueueFullError, DeadlineExceededError, DrainingError, WorkersUnavailableError, the signal's reason, the error of the run,
   * or WorkerLostError when the second worker is lost, too.
   */
  submit(lane: Lane<Item, Result>, item: Item, options?: SubmitOptions): Promise<Result>;
  /** @throws QueueFullError, DrainingError when the queue does not accept `count` images of `bytes` bytes now. */
  checkRoom(images: number, bytes: number): void;
  /** Sends waiting images to free workers. Call it when a worker becomes free without a batch, for example after its start. */
  dispatch(): void;
  /** Accepts no more images. Resolves when every accepted image has a result. */
  close(): Promise<void>;
}

interface Waiting<Item, Result> {
  item: Item;
  arrival: number;
  deadline: number;
  /** The worker of this image was lost. The image runs alone, so that an image that crashes workers affects no other image. */
  alone: boolean;
  timer?: NodeJS.Timeout | undefined;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

const minRetryAfterMs = 100;

/**
 * The only queue for images. A free worker takes the waiting images of one lane at once, up to the lane's cap. So an idle server adds
 * no latency, and a loaded server fills its batches. The next lane is the one with the oldest first image.
 * Invariant: images wait only while no worker of their lane is free, `workers` batches run, or the running images leave too little
 * memory for the oldest waiting one. Then no image overtakes it: small ones could do so for ever.
 */
export function createBatcher<Item, Result>(options: BatcherOptions<Item>): Batcher<Item, Result> {
  type Entry = Waiting<Item, Result>;
  type Way = Lane<Item, Result>;
  const { workers, maxBatch, maxBatchMs = Infinity, maxQueueImages } = options;
  const { maxQueueBytes = Infinity, bytesOf = () => 0, now = monotonicMs } = options;
  const { maxRunningCost = Infinity, costOf = () => 0 } = options;
  const queues = new Map<Way, Set<Entry>>();
  const rate = createServiceRate();
  const idle: (() => void)[] = [];
  let arrivals = 0;
  let waiting = 0;
  let waitingBytes = 0;
  let [running, runningCost] = [0, 0];
  let draining = false;

  function checkRoom(images: number, bytes: number): void {
    if (draining) throw new DrainingError('The server is shutting down and accepts no more images');
    const tooLarge = waiting > 0 && waitingBytes + bytes > maxQueueBytes;
    if (waiting + images <= maxQueueImages && !tooLarge) return;
    const message = tooLarge
      ? `The queue holds images of ${waitingBytes} bytes, allowed are ${maxQueueBytes}`
      : `The queue holds ${waiting} images, allowed are ${maxQueueImages}`;
    throw new QueueFullError(message, Math.max(minRetryAfterMs, backlogMs()));
  }

  async function submit(
    lane: Way,
    item: Item,
    { signal, deadline = Infinity }: SubmitOptions = {},
  ): Promise<Result> {
    checkRoom(1, bytesOf(item));
    signal?.throwIfAborted();
    let leave = () => {};
    try {
      return await new Promise<Result>((resolve, reject) => {
        const entry: Entry = { item, arrival: arrivals++, deadline, alone: false, resolve, reject };
        leave = () => {
          if (!remove(lane, entry)) return;
          reject(signal?.reason);
          dispatch();
        };
        signal?.addEventListener('abort', leave, { once: true });
        enqueue(lane, [entry]);
        dispatch();
        expireLater(lane, entry);
      });
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  /** Entries that return to the queue are before all others, because they arrived first. */
  function enqueue(lane: Way, entries: readonly Entry[]): void {
    const others = queues.get(lane) ?? new Set<Entry>();
    const comeBack = entries.some(({ alone }) => alone);
    if (comeBack) queues.set(lane, new Set([...entries, ...others]));
    else
      queues.set(
        lane,
        entries.reduce((queue, entry) => queue.add(entry), others),
      );
    waiting += entries.length;
    for (const { item } of entries) waitingBytes += bytesOf(item);
  }

  function remove(lane: Way, entry: Entry): boolean {
    const queue = queues.get(lane);
    if (!queue?.delete(entry)) return false;
    clearTimeout(entry.timer);
    entry.timer = undefined;
    waiting--;
    waitingBytes -= bytesOf(entry.item);
    if (queue.size === 0) queues.delete(lane);
    return true;
  }

  function expire(lane: Way, entry: Entry): void {
    if (remove(lane, entry))
      entry.reject(new DeadlineExceededError('The deadline passed while the image waited'));
  }

  function dispatch(): void {
    const blocked = new Set<Way>();
    for (let lane = nextLane(blocked); lane && running < workers; lane = nextLane(blocked)) {
      expireLate(lane);
      if (!queues.has(lane)) continue;
      if (!fits(lane)) break;
      const run = takeWorker(lane);
      if (run) void runBatch(lane, takeBatch(lane), run);
      else blocked.add(lane);
    }
    if (running === 0 && waiting === 0) for (const done of idle.splice(0)) done();
  }

  /** An image always fits if nothing else runs: images that exceed the bound were refused before. */
  function fits(lane: Way): boolean {
    const [head] = queues.get(lane) ?? [];
    return running === 0 || !head || runningCost + costOf(head.item) <= maxRunningCost;
  }

  function nextLane(blocked: ReadonlySet<Way>): Way | undefined {
    let next: { lane?: Way; arrival: number } = { arrival: Infinity };
    for (const [lane, [head]] of queues)
      if (head && head.arrival < next.arrival && !blocked.has(lane)) next = { lane, arrival: head.arrival };
    return next.lane;
  }

  function expireLate(lane: Way): void {
    const time = now();
    for (const entry of queues.get(lane) ?? []) if (entry.deadline <= time) expire(lane, entry);
  }

  /** A waiting image fails at its deadline, before a worker becomes free. */
  function expireLater(lane: Way, entry: Entry): void {
    if (entry.deadline === Infinity || !queues.get(lane)?.has(entry)) return;
    const late = () => {
      expire(lane, entry);
      dispatch();
    };
    entry.timer = setTimeout(late, entry.deadline - now());
  }

  /** If no worker can be started, all waiting images of the lane fail. */
  function takeWorker(lane: Way): RunBatch<Item, Result> | undefined {
    try {
      return lane.take();
    } catch (error) {
      for (const entry of queues.get(lane) ?? []) if (remove(lane, entry)) entry.reject(error);
      return undefined;
    }
  }

  function takeBatch(lane: Way): Entry[] {
    const batch: Entry[] = [];
    const cap = batchCap(lane);
    // Each worker's share: a batch of large images would leave nothing for the others.
    const share = Math.min(maxRunningCost / workers, maxRunningCost - runningCost);
    let cost = 0;
    for (const entry of queues.get(lane) ?? []) {
      if (batch.length === cap || (batch.length > 0 && (entry.alone || batch[0]?.alone))) break;
      cost += costOf(entry.item);
      if (batch.length > 0 && cost > share) break;
      remove(lane, entry);
      batch.push(entry);
    }
    return batch;
  }

  /** Small batches have most of the gain in throughput. A batch that takes long delays all other images. */
  function batchCap({ key }: Way): number {
    const ms = rate.msPerImage(key);
    return ms === undefined ? maxBatch : Math.max(1, Math.min(maxBatch, Math.floor(maxBatchMs / ms)));
  }

  function backlogMs(): number {
    let ms = 0;
    for (const [{ key }, { size }] of queues) ms += (size * (rate.msPerImage(key) ?? 0)) / workers;
    return ms;
  }

  async function runBatch(lane: Way, batch: Entry[], run: RunBatch<Item, Result>): Promise<void> {
    running++;
    const cost = batch.reduce((total, { item }) => total + costOf(item), 0);
    runningCost += cost;
    const start = now();
    try {
      const results = await run(batch.map(({ item }) => item));
      rate.record(lane.key, batch.length, now() - start);
      if (results.length !== batch.length)
        throw new RangeError(`Batch: expected ${batch.length} results, got ${results.length}`);
      for (const [i, entry] of batch.entries()) {
        const result = results[i] as Result | Error;
        if (result instanceof Error) entry.reject(result);
        else entry.resolve(result);
      }
    } catch (error) {
      fail(lane, batch, error);
    } finally {
      running--;
      runningCost -= cost;
      dispatch();
    }
  }

  function fail(lane: Way, batch: readonly Entry[], error: unknown): void {
    const again = error instanceof WorkerLostError ? batch.filter(({ alone }) => !alone) : [];
    for (const entry of batch) if (!again.includes(entry)) entry.reject(error);
    for (const entry of again) entry.alone = true;
    if (again.length > 0) enqueue(lane, again);
    for (const entry of again) expireLater(lane, entry);
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
    dispatch,
    async close() {
      draining = true;
      if (running > 0 || waiting > 0) await new Promise<void>((done) => idle.push(done));
    },
  };
}
