// The limit of the process's memory → the parts of it for uploads, and for images that are decoded at once.
import { totalmem } from 'node:os';
import { countCpus } from '../inference/workers/cpus.js';
import type { Config } from './config.js';

const mib = 2 ** 20;
/** Measured with the committed models: the process with what its garbage collector has not collected yet, and each worker. */
const [processBytes, workerBytes] = [190e6, 25e6];
/** Enough for a photo of three megapixels. */
const leastBytes = 32e6;

export interface MemoryShares {
  /** Uploads that arrive or wait. */
  maxQueueBytes: number;
  /** Images that are decoded at once. */
  maxDecodeBytes: number;
}

/**
 * Under a memory limit (a control group's), a sixteenth of it is for uploads, which are copied once when they are complete. Decoding gets
 * what the process, its workers and the uploads leave. Without a limit it gets half of the machine's memory.
 * @param limit in bytes; default the process's own, undefined if it has none.
 */
export function shareMemory(
  config: Pick<Config, 'workers' | 'maxQueueBytes' | 'maxDecodeBytes'>,
  limit: number | undefined = memoryLimit(),
): MemoryShares {
  const { workers = countCpus() } = config;
  const maxQueueBytes = config.maxQueueBytes ?? Math.min(128 * mib, (limit ?? Infinity) / 16);
  const left =
    limit === undefined ? totalmem() / 2 : limit - processBytes - workers * workerBytes - 2 * maxQueueBytes;
  return { maxQueueBytes, maxDecodeBytes: config.maxDecodeBytes ?? Math.max(leastBytes, left) };
}

function memoryLimit(): number | undefined {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : undefined;
}
