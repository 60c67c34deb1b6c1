// What a command may touch of the outside: two streams, colours, Ctrl-C. Tests give their own.
import { supportsColor } from 'chalk';

export type CliStream = NodeJS.WritableStream & { isTTY?: boolean; columns?: number };

/** As in chalk: none, 16, 256, or 16 million colours. */
export type ColourLevel = 0 | 1 | 2 | 3;

export interface CliIo {
  stdout: CliStream;
  stderr: CliStream;
  colourLevel: ColourLevel;
  /** From this call on, Ctrl-C aborts the signal, so that the command can tidy up; a second one ends the process. */
  onInterrupt: () => AbortSignal;
}

export function processIo(): CliIo {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    colourLevel: chooseColourLevel(process.env, supportsColor === false ? 0 : supportsColor.level),
    onInterrupt: abortOnSigint,
  };
}

/** chalk reads FORCE_COLOR but not NO_COLOR (https://no-color.org): that is done here; FORCE_COLOR wins, as in Node. */
export function chooseColourLevel(env: NodeJS.ProcessEnv, detected: ColourLevel): ColourLevel {
  const refused = env.NO_COLOR !== undefined && env.NO_COLOR !== '';
  return refused && env.FORCE_COLOR === undefined ? 0 : detected;
}

function abortOnSigint(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  return controller.signal;
}
