// Models → one generation of workers with these models loaded. It stops when nothing uses it.
import { createBatcher, type Lane } from '../batcher.js';
import type { Pool, RunTask } from './pool.js';
import type { RunnerImage, RunnerModel, RunnerResult } from './runner.js';

/** The workers for one state of the models folder. A reload starts the next generation next to it. */
export interface Generation extends Pick<Pool, 'take'> {
  /** Runs one image before the models serve. It waits for a free worker in a queue that is separate from the uploads. */
  run(key: string, image: RunnerImage): Promise<RunnerResult>;
  /** Keeps the workers running until `work` is done. */
  use<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Stops the workers as soon as nothing uses them. Resolves when they have stopped. */
  retire(): Promise<void>;
}

/** @param onFree called when a worker becomes free. */
export type StartPool = (models: RunnerModel[], onFree: () => void) => Pool;

/** Resolves when every worker has loaded the models, or no worker can be started. */
export async function openGeneration(models: RunnerModel[], startPool: StartPool): Promise<Generation> {
  const pool = startPool(models, () => checks.dispatch());
  const checks = createBatcher<RunnerImage, RunnerResult>({
    workers: pool.threads,
    maxBatch: 1,
    maxQueueImages: Infinity,
  });
  const laneOf = (key: string): Lane<RunnerImage, RunnerResult> => ({
    key,
    take: () => bind(pool.take(), key),
  });
  await pool.started();
  const quiet: (() => void)[] = [];
  let users = 0;
  return {
    take: pool.take,
    run: (key, image) => checks.submit(laneOf(key), image),
    async use(work) {
      users++;
      try {
        return await work();
      } finally {
        users--;
        if (users === 0) for (const done of quiet.splice(0)) done();
      }
    },
    async retire() {
      if (users > 0) await new Promise<void>((done) => quiet.push(done));
      await pool.close();
    },
  };
}

function bind(run: RunTask | undefined, key: string) {
  return run && ((images: RunnerImage[]) => run(key, images));
}
