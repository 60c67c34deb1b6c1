// the limit of open files and those that are open → how many connections a server may hold.
import { readdir, readFile } from 'node:fs/promises';

export interface OpenFiles {
  /** What `ulimit -n` sets. */
  limit: number;
  open: number;
}

/**
 * Returns the most connections that leave room for a reload. While it opens, a new generation of workers needs up to as many files as
 * the server has open. Without that room a client that holds connections could make models fail.
 */
export function connectionsWithin({ limit, open }: OpenFiles): number {
  return Math.max(1, limit - 2 * open);
}

/** undefined: the system has no /proc, or no limit. */
export async function readOpenFiles(): Promise<OpenFiles | undefined> {
  try {
    const limits = await readFile('/proc/self/limits', 'utf8');
    const limit = Number(/^Max open files +(\d+)/m.exec(limits)?.[1]);
    return Number.isNaN(limit) ? undefined : { limit, open: (await readdir('/proc/self/fd')).length };
  } catch {
    return undefined;
  }
}
