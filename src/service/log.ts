// lines of the log → standard output, without waiting for its reader.
import { write as writeFile } from 'node:fs';
import { pino } from 'pino';
import { cut } from './cut.js';

/** The maximum size of lines that a slow reader has not read yet. Further lines are lost. */
const maxWaitingBytes = 1024 * 1024;

/** The pause before the next attempt if a pipe that does not block is full. */
const fullPipeMs = 50;

export interface LogStream {
  write(line: string): void;
  /** Resolves when all lines are written or lost, at the latest after `ms`. @returns whether a write still waits for a reader. */
  flush(ms: number): Promise<boolean>;
}

/**
 * Creates a log that never blocks. If its reader is gone (EPIPE), the disk is full or nobody empties the pipe, lines are lost, and
 * requests are still answered. Nothing is written when the process exits: pino's own stream then repeats a write to a full disk for ever.
 */
export function createLogStream(fd = 1): LogStream {
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let writing = false;
  let onIdle: (() => void) | undefined;

  function next(): void {
    if (waiting.length === 0) {
      writing = false;
      onIdle?.();
      return;
    }
    writing = true;
    const bytes = Buffer.concat(waiting);
    waiting = [];
    attempt(bytes);
  }

  function attempt(bytes: Buffer): void {
    writeFile(fd, bytes, (error, written) => {
      if (error?.code === 'EAGAIN') setTimeout(() => attempt(bytes), fullPipeMs).unref();
      else if (!error && written < bytes.length) {
        waitingBytes -= written;
        attempt(bytes.subarray(written));
      } else {
        waitingBytes -= bytes.length;
        next();
      }
    });
  }

  return {
    write(line) {
      const bytes = Buffer.from(line);
      if (waitingBytes + bytes.length > maxWaitingBytes) return;
      waitingBytes += bytes.length;
      waiting.push(bytes);
      if (!writing) next();
    },
    flush: (ms) =>
      new Promise((resolve) => {
        if (!writing) return resolve(false);
        const late = setTimeout(() => resolve(true), ms);
        onIdle = () => {
          clearTimeout(late);
          resolve(false);
        };
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
