// models → one generation of workers that hold them open; it ends once nothing needs it any more.
import { createBatcher, type Lane } from '../batcher.js';
import type { Pool, RunTask } from './pool.js';
import type { RunnerImage, RunnerModel, RunnerResult } from './runner.js';

/** The workers that were started for one state of the folder of models. A reload starts the next generation beside it. */
export interface Generation extends Pick<Pool, 'take'> {
  /** Runs one image before the models serve: it waits for a free worker, in a queue apart from that of uploads. */
  run(key: string, image: RunnerImage): Promise<RunnerResult>;
  /** The workers do not end before `work` has. */
  use<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Ends the workers as soon as nothing uses them; resolves when they have ended. */
  retire(): Promise<void>;
}

/** @param onFree called when a worker can be taken again. */
export type StartPool = (models: RunnerModel[], onFree: () => void) => Pool;

/** Resolves when every worker has opened the models, or none can be started. */
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
