// The training thread: a job in → its messages out. session.run blocks its thread, so this is its own.
import { parentPort, workerData } from 'node:worker_threads';
import { runJob } from './job.js';
import type { TrainingJob } from './messages.js';

const stopping = new AbortController();
parentPort?.on('message', () => stopping.abort());
await runJob(workerData as TrainingJob, (message) => parentPort?.postMessage(message), stopping.signal);
