// The errors of commands; report-error.ts turns each into a line and an exit code.
import { QuatiError } from '../inference/errors.js';

/** The command line is invalid: exit code 2. */
export class WrongUseError extends QuatiError {}

/** The command ran and failed, and has already reported the details: exit code 1. */
export class CommandFailedError extends QuatiError {}
