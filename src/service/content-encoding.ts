// the header Content-Encoding → the encoding of a body, of those that the server decompresses.
import type { IncomingHttpHeaders } from 'node:http';
import { cut } from './cut.js';
import { ProblemError } from './errors.js';

export const encodings = ['gzip', 'deflate'] as const;
export type Encoding = (typeof encodings)[number];

/** @throws ProblemError unsupported_type for any other encoding, or for several. */
export function encodingOf({
  'content-encoding': encoding = 'identity',
}: IncomingHttpHeaders): Encoding | 'identity' {
  // An empty header names none. x-gzip is the same as gzip (RFC 9110, 8.4.1.3).
  const name = encoding.trim().toLowerCase().replace(/^x-/, '') || 'identity';
  const known = name === 'identity' ? name : encodings.find((one) => one === name);
  if (known) return known;
  throw new ProblemError(
    'unsupported_type',
    `content-encoding: expected gzip, deflate or identity, got ${cut(encoding)}: send the body without it`,
  );
}
