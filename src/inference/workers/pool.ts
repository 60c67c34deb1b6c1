// the images of a batch → a free worker thread → one result an image; a worker that ends is replaced.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { errorToMessage, WorkerLostError, WorkersUnavailableError } from '../errors.js';
import { shareGate } from '../image/loader-gate.js';
import type { RunnerImage, RunnerModel, RunnerResult } from './runner.js';
import { disableTelemetry } from './runtime.js';
import { packTask, type WorkerMessage, type WorkerOrder } from './wire.js';
import type { WorkerOptions } from './worker.js';

export interface PoolOptions {
  models: readonly RunnerModel[];
  threads: number;
  /** Width times height of an image as uploaded; default 25,000,000. */
  maxPixels?: number | undefined;
  /** A worker that answers nothing for so long is ended; default 30,000. */
  taskTimeoutMs?: number | undefined;
  /** Told of every worker that ended and wasn't asked to. */
  onWorkerLost?: ((reason: string) => void) | undefined;
  /** The module that a worker runs. */
  workerUrl?: URL | undefined;
}

export interface Pool {
  readonly threads: number;
  /**
   * @returns one result an image, in order; what an image itself is to blame for is its result.
   * @throws WorkersUnavailableError when none can be started.
   */
  run(key: string, images: readonly RunnerImage[]): Promise<RunnerResult[]>;
  /** Resolves when every worker has opened its models, or none can be started. */
  started(): Promise<void>;
  /** Ends the workers; what still runs is lost. */
  close(): Promise<void>;
}

interface Task {
  key: string;
  images: readonly RunnerImage[];
  arrival: number;
  resolve: (results: RunnerResult[]) => void;
  reject: (error: Error) => void;
}

/** A place for a worker; the workers in it come and go. */
interface Place {
  worker?: Worker;
  ready: boolean;
  task: Task | undefined;
  watchdog?: NodeJS.Timeout;
  refill?: NodeJS.Timeout;
  /** Workers that ended here since a task was last answered. */
  losses: number;
}

const [firstDelayMs, longestDelayMs] = [50, 30_000];
const lossesUntilUnavailable = 3;
/** How long a worker may take to end by itself. */
const graceMs = 5000;
/** A worker's values live in buffers outside V8's heap: a large young space would only be held, and gains it nothing. */
const resourceLimits = { maxYoungGenerationSizeMb: 6 };

/**
 * Every worker opens every model at its start. A batch whose worker ended is tried once more, image by image, so that one that ends
 * workers takes no other with it. Where workers end again and again, replacing them waits twice as long each time.
 */
export function createPool(options: PoolOptions): Pool {
  const { models, threads, maxPixels = 25_000_000, taskTimeoutMs = 30_000 } = options;
  const { workerUrl = new URL('./worker.js', import.meta.url), onWorkerLost = () => {} } = options;
  disableTelemetry();
  shareGate();
  const tasks: Task[] = [];
  const places: Place[] = Array.from({ length: threads }, () => ({
    ready: false,
    task: undefined,
    losses: 0,
  }));
  const starting: (() => void)[] = [];
  let closing = false;
  let lastReason = '';

  function fill(place: Place): void {
    const workerData: WorkerOptions = { models, maxPixels };
    const worker = new Worker(workerUrl, { workerData, resourceLimits });
    let reason = '';
    place.worker = worker;
    worker.on('message', (message: WorkerMessage) => receive(place, message));
    worker.on('error', (error: Error) => {
      reason = error.message;
    });
    worker.once('exit', (code) => lose(place, reason || `exit code ${code}`));
  }

  function receive(place: Place, message: WorkerMessage): void {
    if ('results' in message) {
      clearTimeout(place.watchdog);
      place.losses = 0;
      place.task?.resolve(message.results);
      place.task = undefined;
    } else place.ready = true;
    assign();
  }

  function lose(place: Place, reason: string): void {
    clearTimeout(place.watchdog);
    const { task } = place;
    Object.assign(place, { ready: false, task: undefined, worker: undefined });
    task?.reject(new WorkerLostError(`The inference worker ended: ${reason}`));
    if (closing) return;
    onWorkerLost(reason);
    lastReason = reason;
    place.losses++;
    // The first replacement comes at once.
    const delay = place.losses === 1 ? 0 : Math.min(longestDelayMs, firstDelayMs * 2 ** place.losses);
    place.refill = setTimeout(() => fill(place), delay);
    assign();
  }

  function assign(): void {
    for (const place of places) {
      if (!place.ready || place.task) continue;
      const task = tasks.shift();
      if (!task) break;
      give(place, task);
    }
    if (places.every(({ losses }) => losses >= lossesUntilUnavailable))
      for (const task of tasks.splice(0))
        task.reject(new WorkersUnavailableError(`No inference worker can be started: ${lastReason}`));
    if (isStarted()) for (const done of starting.splice(0)) done();
  }

  function isStarted(): boolean {
    return places.every(({ ready, losses }) => ready || losses >= lossesUntilUnavailable);
  }

  function give(place: Place, task: Task): void {
    place.task = task;
    const waited = performance.now() - task.arrival;
    const images = task.images.map((image) => ({ ...image, budgetMs: image.budgetMs - waited }));
    const packed = packTask(task.key, images);
    place.watchdog = setTimeout(() => void place.worker?.terminate(), taskTimeoutMs);
    place.worker?.postMessage(packed, [packed.block]);
  }

  function enqueue(key: string, images: readonly RunnerImage[], again: boolean): Promise<RunnerResult[]> {
    return new Promise((resolve, reject) => {
      const task = { key, images, arrival: performance.now(), resolve, reject };
      if (again) tasks.unshift(task);
      else tasks.push(task);
      assign();
    });
  }

  async function run(key: string, images: readonly RunnerImage[]): Promise<RunnerResult[]> {
    try {
      return await enqueue(key, images, false);
    } catch (error) {
      if (!(error instanceof WorkerLostError) || closing) throw error;
      return (await Promise.all(images.map((image) => runAgain(key, image)))).flat();
    }
  }

  async function runAgain(key: string, image: RunnerImage): Promise<RunnerResult[]> {
    try {
      return await enqueue(key, [image], true);
    } catch (error) {
      if (!(error instanceof WorkerLostError)) throw error;
      return [{ error: errorToMessage(error), decodeMs: 0 }];
    }
  }

  for (const place of places) fill(place);
  return {
    threads,
    run,
    async started() {
      if (!isStarted()) await new Promise<void>((done) => starting.push(done));
    },
    async close() {
      closing = true;
      for (const task of tasks.splice(0))
        task.reject(new WorkerLostError('The inference workers were ended'));
      for (const { refill } of places) clearTimeout(refill);
      await Promise.all(places.map(({ worker, task }) => worker && end(worker, task !== undefined)));
    },
  };
}

/** Terminating a thread while ONNX Runtime opens a model in it ends the whole process: it is asked to end by itself first. */
async function end(worker: Worker, busy: boolean): Promise<void> {
  if (!busy) {
    const ended = once(worker, 'exit');
    worker.postMessage({ end: true } satisfies WorkerOrder);
    if (await Promise.race([ended.then(() => true), sleep(graceMs, false, { ref: false })])) return;
  }
  await worker.terminate();
}
