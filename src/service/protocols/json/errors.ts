// What the reader refuses: text that is not JSON, and JSON that exceeds a limit of the reader.
import { QuatiError } from '../../../inference/errors.js';

/** The text is not JSON; the message contains the place. */
export class JsonSyntaxError extends QuatiError {}

/** The text exceeds a limit: depth, values, or the length of a name, a text or a number. */
export class JsonLimitError extends QuatiError {}
