// the inference pool without its threads: the same runner on the caller's thread, as starting workers takes a while.
import type { Pool, PoolOptions } from '../../src/inference/workers/pool.js';
import { createRunner } from '../../src/inference/workers/runner.js';

export function createLocalPool({ models, threads, maxPixels = 25_000_000 }: PoolOptions): Pool {
  const runner = createRunner(models, maxPixels);
  return {
    threads,
    started: async () => void (await runner),
    take: () => async (key, images) => (await runner).run(key, images),
    close: async () => {},
  };
}
