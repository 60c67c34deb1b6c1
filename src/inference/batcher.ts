// images that wait, one by one → batches for free workers → each image's own result.
import { monotonicMs } from './clock.js';
import { DeadlineExceededError, DrainingError, QueueFullError, WorkerLostError } from './errors.js';
import { createServiceRate } from './service-rate.js';

/** The way to the workers of one model. Only what waits in the same lane runs in one batch. */
export interface Lane<Item, Result> {
  /** The model: its lanes of before and after a reload share what is known of its speed. */
  readonly key: string;
  /**
   * Takes a free worker, which is then busy until its batch has run; undefined while none is free.
   * @throws WorkersUnavailableError when none can be started.
   */
  take(): RunBatch<Item, Result> | undefined;
}

/** Resolves to one result or error per item, in order. @throws WorkerLostError when the worker ended before it answered. */
type RunBatch<Item, Result> = (items: Item[]) => Promise<(Result | Error)[]>;

export interface BatcherOptions<Item> {
  /** Batches that run at once, over all models, at most. */
  workers: number;
  /** Images in a batch, at most. */
  maxBatch: number;
  /** A model's batches are cut so that they should take no longer; default without bound. */
  maxBatchMs?: number | undefined;
  /** Images that wait, over all models, at most; those that run don't count. */
  maxQueueImages: number;
  /** Bytes of images that wait, over all models, at most; one image may be larger where none waits. Default without bound. */
  maxQueueBytes?: number | undefined;
  /** Size of an item; default 0. */
  bytesOf?: (item: Item) => number;
  /** Memory that all images that run at once may take together; one alone may take more. Default without bound. */
  maxRunningCost?: number | undefined;
  /** Memory that an item takes while it runs, at most; default 0. */
  costOf?: (item: Item) => number;
  /** The clock of deadlines; default monotonicMs. */
  now?: () => number;
}

export interface SubmitOptions {
  /** While it waits, an aborted image leaves the queue. */
  signal?: AbortSignal | undefined;
  /** An image whose batch doesn't start before this time, on the clock of `now`, is never run. */
  deadline?: number | undefined;
}

export interface Batcher<Item, Result> {
  /** Images that wait, over all models. */
  readonly waiting: number;
  /** For each lane in which images wait: the one that waits longest, and how many there are. */
  queued(): { first: Item; images: number }[];
  /** Batches that run. */
  readonly running: number;
  /**
   * @throws QueueFullError, DeadlineExceededError, DrainingError, WorkersUnavailableError, the signal's reason, or what the run gave
   * or threw. An image whose worker was lost runs once more, alone; WorkerLostError says that this worker was lost, too.
   */
  submit(lane: Lane<Item, Result>, item: Item, options?: SubmitOptions): Promise<Result>;
  /** @throws QueueFullError, DrainingError when that many images, of so many bytes together, aren't taken now. */
  checkRoom(images: number, bytes: number): void;
  /** Gives free workers what waits: to be called when a worker has become free without having run a batch. */
  dispatch(): void;
  /** Takes nothing more; resolves when all that was taken has been answered. */
  close(): Promise<void>;
}

interface Waiting<Item, Result> {
  item: Item;
  arrival: number;
  deadline: number;
  /** Its worker was lost: it runs alone, so that an image that ends workers takes no other with it. */
  alone: boolean;
  timer?: NodeJS.Timeout | undefined;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

const minRetryAfterMs = 100;

/**
 * The only queue on the way of an image. Work-conserving: a free worker takes at once what waits in one lane, up to its cap, so an
 * idle server adds no latency and a loaded one fills its batches. Of several lanes the one whose first image waits longest is next.
 * Invariant: images wait only while no worker of their lane is free, `workers` batches run, or the memory of those that run leaves too
 * little for the one that waits longest. Then no other overtakes it, as small ones would for ever.
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
  let running = 0;
  let runningCost = 0;
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

  /** Entries that come back stand before all others: they arrived first. */
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

  /** What runs alone fits in any case: images that exceed the bound were refused before. */
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

  /** What waits is answered at its deadline, not when a worker gets free. */
  function expireLater(lane: Way, entry: Entry): void {
    if (entry.deadline === Infinity || !queues.get(lane)?.has(entry)) return;
    const late = () => {
      expire(lane, entry);
      dispatch();
    };
    entry.timer = setTimeout(late, entry.deadline - now());
  }

  /** Where no worker can be started, all that waits for one is told so. */
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

  /** A few images bring most of what batches gain; a batch that takes long makes all the others wait. */
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
