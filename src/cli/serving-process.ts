// Forked by peak-rss.ts: serves what its environment says, tells its address, and when asked the most memory it has taken.
import { readFile } from 'node:fs/promises';
import { readConfig } from '../service/config.js';
import { startServer } from '../service/server.js';

/** What it sends: first where it listens, then what it took. */
export type ServingMessage = { url: string } | { peakRssBytes: number };

/**
 * On Linux getrusage counts what the parent held at the fork (exec hands its high-water mark on), VmHWM does not:
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
