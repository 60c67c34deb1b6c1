// a JSON text → a view of its value.
import { JsonView } from '../../src/service/protocols/json/document.js';
import { type JsonLimits, JsonReader } from '../../src/service/protocols/json/reader.js';

const ample: JsonLimits = { maxDepth: 64, maxValues: 1_000_000 };

/** @param sliceBytes of one call of the reader. @throws JsonSyntaxError, JsonLimitError */
export function viewJson(text: string | Buffer, limits = ample, sliceBytes = 1000): JsonView {
  const bytes = Buffer.from(text);
  const reader = new JsonReader(bytes, limits);
  while (!reader.read(sliceBytes));
  return new JsonView({ bytes, tape: reader.tape }, 0);
}
