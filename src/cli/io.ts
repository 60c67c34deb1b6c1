// The only ways of a command to the outside: two streams, colours, Ctrl-C. Tests pass their own.
import { supportsColor } from 'chalk';

export type CliStream = NodeJS.WritableStream & { isTTY?: boolean; columns?: number };

/** The same levels as in chalk: none, 16, 256, or 16 million colours. */
export type ColourLevel = 0 | 1 | 2 | 3;

export interface CliIo {
  stdout: CliStream;
  stderr: CliStream;
  colourLevel: ColourLevel;
  /** From this call on, Ctrl-C aborts the signal, so that the command can clean up. A second one ends the process. */
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

/**
 * chalk limits the level of FORCE_COLOR to what TERM supports, and it ignores NO_COLOR (https://no-color.org).
 * This function handles both. FORCE_COLOR wins over NO_COLOR, like in Node.
 */
export function chooseColourLevel(env: NodeJS.ProcessEnv, detected: ColourLevel): ColourLevel {
  const forced = forcedLevels[env.FORCE_COLOR ?? ''];
  if (forced !== undefined) return forced;
  const refused = env.NO_COLOR !== undefined && env.NO_COLOR !== '';
  return refused && env.FORCE_COLOR === undefined ? 0 : detected;
}

const forcedLevels: Record<string, ColourLevel> = { '0': 0, '1': 1, '2': 2, '3': 3 };

function abortOnSigint(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  return controller.signal;
}
