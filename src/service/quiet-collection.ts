// a server without uploads → a garbage collection, which returns the memory that a burst or the start took.
import type { Server } from 'node:http';
import v8 from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface QuietCollectionOptions {
  /** The time without an upload before the first collection, and between the first and the second. */
  quietMs?: number;
  /** Default: a full collection of V8. */
  collect?: () => void;
}

/** The first collection shrinks V8's young space; the second returns what the first moved out of it. */
const timesInAQuiet = 2;

/**
 * Under load V8 lets the young space grow to 32 MB, which raises the throughput (docs/decisions/idle-memory.md). V8 collects it only
 * when it is full, so a quiet server would hold it for ever. Only uploads count as activity: health checks, metrics and pages do not.
 * After a collection a burst starts as slowly as after a startup, so a gap of seconds does not count as quiet.
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

/** V8's own function. A script sees it only if `--expose-gc` was set when its context was created. */
function collector(): () => void {
  v8.setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  v8.setFlagsFromString('--no-expose-gc');
  return () => collect();
}
