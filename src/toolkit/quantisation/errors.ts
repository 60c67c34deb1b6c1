// What can go wrong between a float32 model and its quantised variant.
import { QuatiError } from '../../inference/errors.js';

/** The model cannot be quantised as it is, or there is nothing to calibrate on. */
export class QuantisationError extends QuatiError {}
