// lines of the log → standard output, without ever waiting for who reads it.
import { pino } from 'pino';

/** Lines that a slow reader has not taken yet, at most; what comes on top is lost. */
const maxWaitingBytes = 1024 * 1024;

export interface LogStream {
  write(line: string): void;
  /** Resolves when what was logged is written, or after `ms`. */
  flush(ms: number): Promise<void>;
}

/**
 * A reader that is gone (EPIPE), a full disk or a pipe that nobody empties lose lines of the log and nothing else: a write to such a
 * stream fails or blocks, which must not reach the thread that answers.
 */
export function createLogStream(fd = 1): LogStream {
  const stream = pino.destination({ fd, sync: false, minLength: 0, maxLength: maxWaitingBytes });
  stream.on('error', () => {});
  return {
    write: (line) => void stream.write(line),
    flush: (ms) =>
      new Promise((resolve) => {
        const late = setTimeout(resolve, ms);
        stream.flush(() => {
          clearTimeout(late);
          resolve();
        });
      }),
  };
}
