// the bytes of a JSON text → a view of its value; long texts are read in slices, with other work of the thread in between.
import { JsonView } from './document.js';
import { type JsonLimits, JsonReader } from './reader.js';

/** Read at once: about a millisecond. */
export const sliceBytes = 128 * 1024;

/**
 * @param pause is awaited between two slices; what it throws ends the reading.
 * @throws JsonSyntaxError, JsonLimitError
 */
export async function readJson(
  bytes: Buffer,
  limits: JsonLimits,
  pause: () => Promise<void>,
): Promise<JsonView> {
  const reader = new JsonReader(bytes, limits);
  while (!reader.read(sliceBytes)) await pause();
  return new JsonView({ bytes, tape: reader.tape }, 0);
}
