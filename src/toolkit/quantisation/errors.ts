// Errors of quantisation.
import { QuatiError } from '../../inference/errors.js';

/** The model cannot be quantised, or there are no images to calibrate on. */
export class QuantisationError extends QuatiError {}
