// lines of the log → standard output, without waiting for its reader.
import { pino } from 'pino';

/** The maximum size of lines that a slow reader has not read yet. Further lines are lost. */
const maxWaitingBytes = 1024 * 1024;

export interface LogStream {
  write(line: string): void;
  /** Resolves when all lines are written, at the latest after `ms`. */
  flush(ms: number): Promise<void>;
}

/**
 * Creates a log that never blocks. If its reader is gone (EPIPE), the disk is full or nobody empties the pipe, lines are lost, and
 * requests are still answered.
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
