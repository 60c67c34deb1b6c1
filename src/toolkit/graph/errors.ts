// Errors about graphs.
import { QuatiError } from '../../inference/errors.js';

/** A shape, a type or an attribute does not fit. The message names the operator, the input, what was expected and what was found. */
export class GraphError extends QuatiError {}

/** This stage has no rule for the operator. */
export class UnsupportedOperatorError extends QuatiError {}
