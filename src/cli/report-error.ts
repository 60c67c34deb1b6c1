// An error that a command threw → a line on stderr and the exit code.
import { inspect } from 'node:util';
import { CommanderError } from 'commander';
import { QuatiError } from '../inference/errors.js';
import { devDependencies } from './command-line.js';
import { WrongUseError } from './errors.js';
import type { CliIo } from './io.js';

export interface ReportContext {
  io: CliIo;
  verbose: boolean;
  /** The command's name. */
  asked: string | undefined;
}

/** Prints an expected failure as one line, and an unexpected one with its stack. */
export function reportError(error: unknown, { io, verbose, asked }: ReportContext): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof Error && error.name === 'AbortError') {
    io.stderr.write('interrupted\n');
    return 130;
  }
  const missing = missingPackage(error);
  const expected = error instanceof QuatiError || missing !== undefined;
  if (verbose || !expected) io.stderr.write(`${inspect(error)}\n`);
  else if (missing === undefined) io.stderr.write(`error: ${(error as QuatiError).message}\n`);
  if (missing !== undefined)
    io.stderr.write(
      `error: quati ${asked ?? ''} needs the package ${missing}, which an installation for serving does not include. ` +
        `In the project, run: npm install --include=dev; elsewhere: npm install ${missing}${rangeOf(missing)}\n`,
    );
  return error instanceof WrongUseError ? 2 : 1;
}

/** The version that this package is tested with. */
function rangeOf(name: string): string {
  const range = devDependencies[name];
  return range === undefined ? '' : `@"${range}"`;
}

function missingPackage(error: unknown): string | undefined {
  if (!(error instanceof Error) || (error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND')
    return undefined;
  return /Cannot find package '([^']+)'/.exec(error.message)?.[1];
}
