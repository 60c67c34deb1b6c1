// What can be wrong with a graph.
import { QuatiError } from '../../inference/errors.js';

/** A shape, a type or an attribute does not fit: the message names operator, input, expected and got. */
export class GraphError extends QuatiError {}

/** An operator that this stage has no rule for. */
export class UnsupportedOperatorError extends QuatiError {}
