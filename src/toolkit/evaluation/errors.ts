// What can go wrong when a model is measured.
import { QuatiError } from '../../inference/errors.js';

/** There is nothing to evaluate, or the images do not fit the model. */
export class EvaluationError extends QuatiError {}
