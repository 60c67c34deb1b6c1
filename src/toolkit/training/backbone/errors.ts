// What can be wrong with a backbone.
import { QuatiError } from '../../../inference/errors.js';

/** The file cannot serve as a backbone, or does not say by itself how images enter it or where its features are. */
export class BackboneError extends QuatiError {}
