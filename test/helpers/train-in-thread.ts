// train() whose thread is this one: starting a thread takes seconds where TypeScript is compiled on the fly.
import { EventEmitter } from 'node:events';
import type { Test } from 'tap';
import type { TrainingJob } from '../../src/toolkit/training/messages.js';
import type * as Training from '../../src/toolkit/training/train.js';

/** What `node:worker_threads` offers, as far as training uses it; worker.js runs in the caller's thread. */
export async function importTrain(t: Test): Promise<typeof Training> {
  class LocalWorker extends EventEmitter {
    readonly #port = new EventEmitter();

    constructor(_: URL, { workerData }: { workerData: TrainingJob }) {
      super();
      const parentPort = Object.assign(this.#port, {
        postMessage: (message: unknown) => this.emit('message', structuredClone(message)),
      });
      const mocked = { 'node:worker_threads': { parentPort, workerData: structuredClone(workerData) } };
      t.mockImport('../../src/toolkit/training/worker.js', mocked).catch((error) =>
        this.emit('error', error),
      );
    }

    postMessage(message: unknown): void {
      setImmediate(() => this.#port.emit('message', message));
    }

    terminate(): Promise<void> {
      return Promise.resolve();
    }
  }
  return await t.mockImport<typeof Training>('../../src/toolkit/training/train.js', {
    'node:worker_threads': { Worker: LocalWorker },
  });
}
