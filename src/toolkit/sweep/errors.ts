// What can go wrong in a sweep, beyond what can in each of its runs.
import { QuatiError } from '../../inference/errors.js';

/** The folder holds another sweep. */
export class SweepError extends QuatiError {}
