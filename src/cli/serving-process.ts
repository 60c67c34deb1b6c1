// Forked by peak-rss.ts: environment settings → a server that sends its address, then, on request, its peak memory.
import { readFile } from 'node:fs/promises';
import { readConfig } from '../service/config.js';
import { startServer } from '../service/server.js';

/** The messages that it sends: first its address, then its peak memory. */
export type ServingMessage = { url: string } | { peakRssBytes: number };

/**
 * On Linux, getrusage includes the parent's memory at the fork, because exec passes its peak on. VmHWM does not:
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
