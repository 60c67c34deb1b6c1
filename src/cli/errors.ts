// How a command says that it ended badly; program.ts turns these into a line and an exit code.
import { QuatiError } from '../inference/errors.js';

/** The command line asks for something that can't be: exit code 2. */
export class WrongUseError extends QuatiError {}

/** The command ran, and its result is a failure that was already reported in detail: exit code 1. */
export class CommandFailedError extends QuatiError {}
