// the pixels of a batch → a free worker thread → scores, one row an image.
import { Piscina } from 'piscina';
import { ModelError } from './errors.js';
import { disableTelemetry } from './runtime.js';
import type { WorkerAnswer, WorkerModel, WorkerTask } from './worker.js';

export interface PoolOptions {
  models: readonly WorkerModel[];
  threads: number;
}

export interface Pool {
  readonly threads: number;
  /**
   * @param images pixels as decodeImage returns them for the input of model `key`.
   * @returns one row of scores an image.
   * @throws ModelError when the model couldn't be loaded or doesn't run.
   */
  run(key: string, images: readonly Uint8Array[]): Promise<Float32Array[]>;
  /** Waits for what runs. */
  close(): Promise<void>;
}

/** Every thread opens every model at its start; one that can't be opened fails its own tasks only. */
export function createPool({ models, threads }: PoolOptions): Pool {
  disableTelemetry();
  const piscina = new Piscina<WorkerTask, WorkerAnswer>({
    filename: new URL('./worker.js', import.meta.url).href,
    workerData: models,
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: 1,
    recordTiming: false,
  });

  return {
    threads,
    async run(key, images) {
      const task = { key, count: images.length, pixels: Buffer.concat(images) };
      const answer = await piscina.run(task);
      if ('error' in answer) throw new ModelError(answer.error);
      const labels = answer.scores.length / images.length;
      return images.map((_, i) => answer.scores.subarray(i * labels, (i + 1) * labels));
    },
    close: () => piscina.close(),
  };
}
