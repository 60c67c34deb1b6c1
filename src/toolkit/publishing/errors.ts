// What can go wrong between a run and models/.
import { QuatiError } from '../../inference/errors.js';

/** The run is not ready to be published, or its name or version is taken. */
export class PublishingError extends QuatiError {}
