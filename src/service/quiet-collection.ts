// a server nobody asks anything → its garbage is collected, and the memory that a burst or the start took is given back.
import type { Server } from 'node:http';
import v8 from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface QuietCollectionOptions {
  /** So long without an upload, and as long again before the second time. */
  quietMs?: number;
  /** Default: a full collection by V8. */
  collect?: () => void;
}

/** The first shrinks V8's young space, the second returns what was moved out of it. */
const timesInAQuiet = 2;

/**
 * V8 lets the young space grow to 32 MB under load, which gains a quarter of the requests, and collects it only when it is full: a
 * quiet server would hold it for ever. Health checks, metrics and pages are no uploads, so that being watched wakes nothing. The first
 * seconds of the burst after a collection have a quarter fewer requests, as after a start: gaps of seconds are no quiet.
 */
export function collectInQuiet(
  server: Server,
  { quietMs = 30_000, collect = collector() }: QuietCollectionOptions = {},
): void {
  let busy = false;
  let left = timesInAQuiet;
  server.on('request', ({ method }) => {
    busy ||= method === 'POST';
  });
  const timer = setInterval(look, quietMs).unref();
  server.once('close', () => clearInterval(timer));

  function look(): void {
    if (busy) left = timesInAQuiet;
    else if (left > 0) {
      left--;
      collect();
    }
    busy = false;
  }
}

/** V8's own function, which scripts see only where `--expose-gc` was set as their context was made. */
function collector(): () => void {
  v8.setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  v8.setFlagsFromString('--no-expose-gc');
  return () => collect();
}
