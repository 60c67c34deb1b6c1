// lines of the log → standard output, without waiting for its reader.
import { pino } from 'pino';
import { cut } from './cut.js';

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

/** Characters of the message of an error, and of its stack, in the log. */
const maxErrorText = 4000;

interface LoggedError {
  type: string;
  message: string;
  stack: string;
  [name: string]: unknown;
}

/** Returns the texts and numbers of an error for the log. An error of a library may repeat what a client wrote, so texts are cut. */
export function serialiseError(error: Error): LoggedError {
  const { type, message, stack, ...others } = pino.stdSerializers.err(error);
  const serialised: LoggedError = {
    type,
    message: cut(message, maxErrorText),
    stack: cut(stack, maxErrorText),
  };
  for (const [name, value] of Object.entries(others))
    if (typeof value === 'string') serialised[name] = cut(value, maxErrorText);
    else if (typeof value === 'number') serialised[name] = value;
  return serialised;
}
