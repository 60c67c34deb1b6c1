// the JSON of a request → its value, checked by a schema, in which the tensors are views; a refusal says where it is wrong.
import { cut } from '../cut.js';
import { ProblemError } from '../errors.js';
import type { Pause } from './body.js';
import { convert, JsonView } from './json/document.js';
import { JsonLimitError, JsonSyntaxError } from './json/errors.js';
import { readJson } from './json/read.js';
import type { JsonLimits } from './json/reader.js';
import { convertLimits } from './limits.js';

export interface RequestSchema<Value> {
  checker: {
    Check(json: unknown): json is Value;
    Errors(json: unknown): Iterable<{ instancePath: string; message: string }>;
  };
  /** Members of these names are a JsonView, whatever they contain. */
  views: ReadonlySet<string>;
  /** Ends the error about text that is not JSON. */
  hint?: string;
}

/** Members that are null are absent. @throws ProblemError bad_request with the place, and what `pause` throws */
export async function parseJson<Value>(
  text: Buffer,
  { checker, views, hint = '' }: RequestSchema<Value>,
  limits: JsonLimits,
  pause: Pause,
): Promise<Value> {
  const json = await readValue(text, views, limits, pause).catch((cause: unknown) => {
    if (cause instanceof JsonSyntaxError)
      throw new ProblemError('bad_request', `The body is no JSON: ${cause.message}${hint}`, { cause });
    if (cause instanceof JsonLimitError) throw new ProblemError('bad_request', cause.message, { cause });
    throw cause;
  });
  if (checker.Check(json)) return json;
  const [first] = checker.Errors(json);
  const place = cut(first?.instancePath ?? '');
  throw new ProblemError('bad_request', `body ${place} ${first?.message}`.replace(/ +/g, ' '));
}

async function readValue(
  text: Buffer,
  views: ReadonlySet<string>,
  limits: JsonLimits,
  pause: Pause,
): Promise<unknown> {
  return withoutNull(convert(await readJson(text, limits, pause), convertLimits, views));
}

/** Clients write null for a member that they do not set: it counts as absent. */
function withoutNull(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNull);
  if (typeof value !== 'object' || value === null || value instanceof JsonView) return value;
  const members = Object.entries(value).filter(([, member]) => !isNull(member));
  return Object.fromEntries(members.map(([name, member]) => [name, withoutNull(member)]));
}

function isNull(value: unknown): boolean {
  return value === null || (value instanceof JsonView && value.kind === 'null');
}
