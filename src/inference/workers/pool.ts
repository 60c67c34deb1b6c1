// The images of a batch → a free worker thread → one result per image. A worker that stops is replaced.
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { WorkerLostError, WorkersUnavailableError } from '../errors.js';
import { defaultMaxPixels } from '../image/limits.js';
import { shareGate } from '../image/loader-gate.js';
import type { RunnerImage, RunnerModel, RunnerResult } from './runner.js';
import { disableTelemetry } from './runtime.js';
import { packTask, type WorkerMessage, type WorkerOrder } from './wire.js';
import type { WorkerOptions } from './worker.js';

export interface PoolOptions {
  models: readonly RunnerModel[];
  threads: number;
  /** The most pixels (width times height) of an upload; 25,000,000 by default. */
  maxPixels?: number | undefined;
  /** A worker that does not respond within this time is replaced, even if it cannot be stopped; 30,000 by default. */
  taskTimeoutMs?: number | undefined;
  /** Called when a worker stopped unexpectedly. */
  onWorkerLost?: ((reason: string) => void) | undefined;
  /**
   * Called with the number of workers that were replaced and have not ended: a decoder cannot be interrupted. Each holds a thread of
   * libuv's pool, which all workers share.
   */
  onStuck?: ((workers: number) => void) | undefined;
  /** Called when a worker becomes free, or when no worker can be started. */
  onFree?: (() => void) | undefined;
  /** The module that a worker runs. */
  workerUrl?: URL | undefined;
}

export interface Pool {
  readonly threads: number;
  /**
   * Takes an idle worker, which is busy until its batch has run. Returns undefined while all are busy or starting.
   * @throws WorkersUnavailableError when no worker can be started.
   */
  take(): RunTask | undefined;
  /** Resolves when every worker has loaded its models, or no worker can be started. */
  started(): Promise<void>;
  /** Stops the workers. Batches that still run are lost. */
  close(): Promise<void>;
}

/**
 * Runs images on a taken worker, once.
 * @returns one result per image, in order. The result is an error if the image caused one.
 * @throws WorkerLostError when the worker stopped before it responded.
 */
export type RunTask = (key: string, images: readonly RunnerImage[]) => Promise<RunnerResult[]>;

interface Task {
  resolve: (results: RunnerResult[]) => void;
  reject: (error: Error) => void;
}

/** A slot for one worker at a time. */
interface Place {
  worker?: Worker | undefined;
  ready: boolean;
  taken: boolean;
  task?: Task | undefined;
  watchdog?: NodeJS.Timeout;
  refill?: NodeJS.Timeout;
  /** The number of workers that stopped in this slot since the last completed task. */
  losses: number;
}

const [firstDelayMs, longestDelayMs] = [50, 30_000];
const lossesUntilUnavailable = 3;
/** The time in which a worker must stop by itself. */
const graceMs = 5000;
/** A worker's values are in buffers outside V8's heap. A large young space would take memory and give no speed. */
const resourceLimits = { maxYoungGenerationSizeMb: 6 };

/**
 * Every worker loads every model at its start. A worker that stopped is replaced. If workers stop repeatedly, the wait before the
 * next replacement doubles each time. The pool has no queue: callers wait for onFree.
 */
export function createPool(options: PoolOptions): Pool {
  const { models, threads, maxPixels = defaultMaxPixels, taskTimeoutMs = 30_000 } = options;
  const { onWorkerLost = () => {}, onStuck = () => {}, onFree = () => {} } = options;
  const { workerUrl = new URL('./worker.js', import.meta.url) } = options;
  disableTelemetry();
  shareGate();
  const places: Place[] = Array.from({ length: threads }, () => ({ ready: false, taken: false, losses: 0 }));
  const starting: (() => void)[] = [];
  const stuck = new Set<Worker>();
  let closing = false;
  let lastReason = '';

  function fill(place: Place): void {
    const workerData: WorkerOptions = { models, maxPixels, replaces: place.losses > 0 };
    const worker = new Worker(workerUrl, { workerData, resourceLimits });
    let reason = '';
    place.worker = worker;
    worker.on('message', (message: WorkerMessage) => receive(place, message));
    worker.on('error', (error: Error) => {
      reason = error.message;
    });
    worker.once('exit', (code) => {
      if (stuck.delete(worker)) onStuck(stuck.size);
      else lose(place, reason || `exit code ${code}`);
    });
  }

  /**
   * Its place is free at once: nobody knows when the thread ends. It is only requested to: if ONNX Runtime reports an error to a thread
   * that was terminated, the whole process ends.
   */
  function abandon(place: Place): void {
    const { worker } = place;
    if (!worker) return;
    stuck.add(worker);
    worker
      .removeAllListeners('message')
      .removeAllListeners('error')
      .on('error', () => {});
    worker.postMessage({ end: true } satisfies WorkerOrder);
    lose(place, `no answer within ${taskTimeoutMs} ms`);
    onStuck(stuck.size);
  }

  function receive(place: Place, message: WorkerMessage): void {
    if ('results' in message) {
      place.losses = 0;
      release(place)?.resolve(message.results);
    } else place.ready = true;
    tell();
  }

  function lose(place: Place, reason: string): void {
    Object.assign(place, { ready: false, worker: undefined });
    release(place)?.reject(new WorkerLostError(`The inference worker stopped: ${reason}`));
    if (closing) return;
    onWorkerLost(reason);
    lastReason = reason;
    place.losses++;
    // The first replacement starts at once.
    const delay = place.losses === 1 ? 0 : Math.min(longestDelayMs, firstDelayMs * 2 ** place.losses);
    place.refill = setTimeout(() => fill(place), delay);
    tell();
  }

  function release(place: Place): Task | undefined {
    clearTimeout(place.watchdog);
    const { task } = place;
    Object.assign(place, { task: undefined, taken: false });
    return task;
  }

  function tell(): void {
    if (isStarted()) for (const done of starting.splice(0)) done();
    onFree();
  }

  function isStarted(): boolean {
    return places.every(({ ready, losses }) => ready || losses >= lossesUntilUnavailable);
  }

  function take(): RunTask | undefined {
    if (closing) throw new WorkerLostError('The inference workers were stopped');
    if (places.every(({ losses }) => losses >= lossesUntilUnavailable))
      throw new WorkersUnavailableError(`No inference worker can be started: ${lastReason}`);
    const place = places.find(({ ready, taken }) => ready && !taken);
    if (!place) return undefined;
    place.taken = true;
    return (key, images) => give(place, key, images);
  }

  function give(place: Place, key: string, images: readonly RunnerImage[]): Promise<RunnerResult[]> {
    return new Promise((resolve, reject) => {
      place.task = { resolve, reject };
      const packed = packTask(key, images);
      place.watchdog = setTimeout(() => abandon(place), taskTimeoutMs);
      place.worker?.postMessage(packed, [packed.block]);
    });
  }

  for (const place of places) fill(place);
  return {
    threads,
    take,
    async started() {
      if (!isStarted()) await new Promise<void>((done) => starting.push(done));
    },
    async close() {
      closing = true;
      onFree();
      for (const { refill } of places) clearTimeout(refill);
      await Promise.all(places.map(({ worker, task }) => worker && end(worker, task !== undefined)));
    },
  };
}

/** First requests the thread to stop by itself. Terminating it while ONNX Runtime loads a model would end the whole process. */
async function end(worker: Worker, busy: boolean): Promise<void> {
  if (!busy) {
    // It may still fail to open its models: `once` would reject then.
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.postMessage({ end: true } satisfies WorkerOrder);
    if (await Promise.race([ended.then(() => true), sleep(graceMs, false, { ref: false })])) return;
  }
  await worker.terminate();
}
