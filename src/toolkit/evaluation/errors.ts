// Errors of evaluation.
import { QuatiError } from '../../inference/errors.js';

/** There is no model to evaluate, or the images do not fit it. */
export class EvaluationError extends QuatiError {}
