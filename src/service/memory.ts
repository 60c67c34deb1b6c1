// The limit of the process's memory → the part of it for images that are decoded at once.
import { totalmem } from 'node:os';
import { countCpus } from '../inference/workers/cpus.js';

export interface MemoryUse {
  workers?: number | undefined;
  /** Of the images that wait. */
  maxQueueBytes: number;
}

/** Measured with the committed models: the process, and each worker. */
const [processBytes, workerBytes] = [150e6, 25e6];
/** Enough for a photo of three megapixels. */
const leastBytes = 32e6;

/**
 * Under a memory limit (a control group's), what the process, its workers and waiting uploads leave of it. Without one, half of the
 * machine's memory.
 * @param limit in bytes; default the process's own, undefined if it has none.
 */
export function decodingBudget(
  { workers = countCpus(), maxQueueBytes }: MemoryUse,
  limit: number | undefined = memoryLimit(),
): number {
  if (limit === undefined) return totalmem() / 2;
  const queued = Math.min(maxQueueBytes, limit / 4);
  return Math.max(leastBytes, limit - processBytes - workers * workerBytes - queued);
}

function memoryLimit(): number | undefined {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : undefined;
}
