// the training thread: a job → its messages. It is a thread because session.run blocks.
import { parentPort, workerData } from 'node:worker_threads';
import { runJob } from './job.js';
import type { TrainingJob } from './messages.js';

const stopping = new AbortController();
parentPort?.on('message', () => stopping.abort());
await runJob(workerData as TrainingJob, (message) => parentPort?.postMessage(message), stopping.signal);
