// a body of any type, plain or compressed → its bytes; the bytes of a response → compressed if the client accepts it.
import { promisify } from 'node:util';
import { deflate, gunzip, gzip, inflate } from 'node:zlib';
import { negotiate } from '@fastify/accept-negotiator';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { ProblemError } from '../errors.js';

export interface WholeBodyOptions {
  /** The limit of a body as sent, and again after decompression. */
  maxUploadBytes: number;
}

const decompressors = { gzip: promisify(gunzip), deflate: promisify(inflate) };
const compressors = { gzip: promisify(gzip), deflate: promisify(deflate) };
type Encoding = keyof typeof compressors;
const encodings: Encoding[] = ['gzip', 'deflate'];

/** Below this size, compression saves less than one network packet. */
const minCompressedBytes = 1024;

/** Replaces all body parsing of the scope that it is registered in: request.body is a Buffer or undefined. */
export const wholeBody = fp(
  async (app: FastifyInstance, { maxUploadBytes }: WholeBodyOptions) => {
    app.removeAllContentTypeParsers();
    // The path and the inference headers decide how a body is read, not its content type.
    app.addHook('onRequest', async ({ raw: { headers } }) => {
      headers['content-type'] = 'application/octet-stream';
    });
    app.addContentTypeParser(
      'application/octet-stream',
      { parseAs: 'buffer', bodyLimit: maxUploadBytes },
      (request: FastifyRequest, body: Buffer) =>
        decompress(body, request.headers['content-encoding'], maxUploadBytes),
    );
  },
  { name: 'whole-body' },
);

/** @throws ProblemError bad_request if there is no body. */
export function bodyOf(request: FastifyRequest): Buffer {
  const { body } = request;
  if (Buffer.isBuffer(body) && body.length > 0) return body;
  throw new ProblemError('bad_request', 'The request has no body');
}

interface Checker<Value> {
  Check(json: unknown): json is Value;
  Errors(json: unknown): Iterable<{ instancePath: string; message: string }>;
}

/** @param hint ends the error about text that is not JSON. @throws ProblemError bad_request with the place. */
export function parseJson<Value>(text: string, checker: Checker<Value>, hint = ''): Value {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const detail = `The body is no JSON: ${(cause as Error).message}${hint}`;
    throw new ProblemError('bad_request', detail, { cause });
  }
  if (checker.Check(json)) return json;
  const [first] = checker.Errors(json);
  throw new ProblemError('bad_request', `body ${first?.instancePath} ${first?.message}`.replace(/ +/g, ' '));
}

async function decompress(body: Buffer, encoding = 'identity', maxOutputLength: number): Promise<Buffer> {
  const name = encoding.trim().toLowerCase();
  if (name === 'identity') return body;
  const known = encodings.find((one) => one === name);
  if (!known)
    throw new ProblemError(
      'unsupported_type',
      `content-encoding: expected gzip, deflate or identity, got ${encoding}`,
    );
  try {
    return await decompressors[known](body, { maxOutputLength });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      const detail = `The body has more than ${maxOutputLength} bytes once it is decompressed`;
      throw new ProblemError('too_many_bytes', detail, { cause });
    }
    throw new ProblemError('bad_request', `The body can't be decompressed as ${known}: ${message}`, {
      cause,
    });
  }
}

/** Sends the bytes, compressed if they are large and the client's accept-encoding allows it. */
export async function sendBytes(
  request: FastifyRequest,
  reply: FastifyReply,
  type: string,
  bytes: Buffer,
): Promise<FastifyReply> {
  // CORS may have set that the response varies by origin.
  const vary = [reply.getHeader('vary'), 'accept-encoding'].filter((name) => name !== undefined);
  reply.type(type).header('vary', vary.join(', '));
  const encoding = bytes.length < minCompressedBytes ? null : acceptedEncoding(request);
  if (encoding === null) return reply.send(bytes);
  return reply.header('content-encoding', encoding).send(await compressors[encoding](bytes));
}

function acceptedEncoding({ headers }: FastifyRequest): Encoding | null {
  return negotiate(String(headers['accept-encoding'] ?? '').toLowerCase(), encodings);
}
