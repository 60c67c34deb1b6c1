// The error for a backbone.
import { QuatiError } from '../../../inference/errors.js';

/** A file cannot be a backbone, or its input contract or its features cannot be found in it. */
export class BackboneError extends QuatiError {}
