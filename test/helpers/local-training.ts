// a training job without its thread: the same messages from the caller's thread, as starting a worker takes half a second.
import { EventEmitter } from 'node:events';
import { runJob } from '../../src/toolkit/training/run/job.js';
import type { TrainingJob } from '../../src/toolkit/training/run/messages.js';
import type { TrainingThread } from '../../src/toolkit/training/run/train.js';

/** What crosses between threads is copied; here too. */
class LocalThread extends EventEmitter implements TrainingThread {
  readonly #stopping = new AbortController();

  constructor(job: TrainingJob) {
    super();
    const send = (message: object) => this.emit('message', structuredClone(message));
    // The messages have listeners by then.
    setImmediate(() => void runJob(structuredClone(job), send, this.#stopping.signal));
  }

  postMessage(): void {
    this.#stopping.abort();
  }

  async terminate(): Promise<number> {
    return 0;
  }
}

export const startLocalThread = (job: TrainingJob): TrainingThread => new LocalThread(job);
