// The process that peak-rss.ts forks: it serves, sends its address, and sends its peak memory when asked.
import { readFile } from 'node:fs/promises';
import { readConfig } from '../service/config.js';
import { startServer } from '../service/server.js';

/** Messages to the parent: first the address, then the peak memory. */
export type ServingMessage = { url: string } | { peakRssBytes: number };

/**
 * Reads VmHWM on Linux. There, getrusage also counts the memory that the parent had at the fork, as exec keeps the maximum:
 * https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
 */
async function peakRssBytes(): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? process.resourceUsage().maxRSS;
  return Number(kilobytes) * 1024;
}

process.once('disconnect', () => process.exit(0));
const server = await startServer(readConfig(process.env));
process.once('message', async () => {
  const message: ServingMessage = { peakRssBytes: await peakRssBytes() };
  process.send?.(message, () => process.exit(0));
});
const started: ServingMessage = { url: server.url };
process.send?.(started);
