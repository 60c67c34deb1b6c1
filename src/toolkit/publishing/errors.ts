// Errors of publishing.
import { QuatiError } from '../../inference/errors.js';

/** The run is not ready to be published, or its version exists. */
export class PublishingError extends QuatiError {}
