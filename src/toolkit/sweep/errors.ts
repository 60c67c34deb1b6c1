// Errors of a sweep, besides those of its runs.
import { QuatiError } from '../../inference/errors.js';

/** The folder holds another sweep. */
export class SweepError extends QuatiError {}
