// a body of any type, plain or compressed → its bytes; the bytes of a response → compressed if the client accepts it.
import type { IncomingMessage } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { deflate, gunzip, gzip, inflate } from 'node:zlib';
import { negotiate } from '@fastify/accept-negotiator';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { monotonicMs } from '../../inference/clock.js';
import { type BodyRoom, bodyTooLate, type HeldBytes, type Patience } from '../body-room.js';
import { type Encoding, encodingOf, encodings } from '../content-encoding.js';
import { ProblemError } from '../errors.js';
import { deadlineOf, signalOfClient } from '../patience.js';
import { readBytes } from '../read-bytes.js';
import { sliceBytes } from './json/read.js';
import { type BodyLimits, bodyLimit } from './limits.js';

export interface WholeBodyOptions extends BodyLimits {
  /** Shared by all protocols. */
  room: BodyRoom;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The most bytes of the body, as sent and after decompression. Undefined until a body arrives. */
    bodyLimit?: number;
    heldBytes?: HeldBytes;
  }
}

const decompressors = { gzip: promisify(gunzip), deflate: promisify(inflate) };
const compressors = { gzip: promisify(gzip), deflate: promisify(deflate) };

/** Below this size, compression saves less than one network packet. */
const minCompressedBytes = 1024;

/** Of one step of the decompression. The default of zlib, 16 KiB, means 640 steps of the HTTP thread for 10 MB. */
const [minChunk, maxChunk] = [16 * 1024, 256 * 1024];

/** Replaces all body parsing of the scope that it is registered in: request.body is a Buffer or undefined. */
export const wholeBody = fp(
  async (app: FastifyInstance, { room, ...limits }: WholeBodyOptions) => {
    app.removeAllContentTypeParsers();
    app.decorateRequest('bodyLimit');
    app.decorateRequest('heldBytes');
    app.addHook('onRequest', async (request, reply) => {
      // The path and the inference headers decide how a body is read, not its content type.
      request.raw.headers['content-type'] = 'application/octet-stream';
      reply.raw.once('close', () => request.heldBytes?.release());
    });
    app.addContentTypeParser(
      'application/octet-stream',
      async (request: FastifyRequest, payload: IncomingMessage) => {
        request.bodyLimit = limitOf(request, limits);
        request.heldBytes = room.hold();
        return await receive(payload, request.bodyLimit, request.heldBytes);
      },
    );
  },
  { name: 'whole-body' },
);

/** The limit of the model in the path, the largest of its versions; of an upload if there is no such model. */
function limitOf({ server, params }: FastifyRequest, limits: BodyLimits): number {
  const { name } = params as { name?: string };
  const cards = server.pipeline.models().flatMap((model) => (model.name === name ? (model.card ?? []) : []));
  const ofModel = cards.map(({ input }) => bodyLimit(input, limits));
  return Math.max(...ofModel, ofModel.length > 0 ? 0 : (limits.maxBodyBytes ?? limits.maxUploadBytes));
}

async function receive(payload: IncomingMessage, maxBytes: number, held: HeldBytes): Promise<Buffer> {
  const tooMany = () => tooManyBytes(maxBytes);
  const expectedBytes = Number(payload.headers['content-length'] ?? maxBytes);
  if (expectedBytes > maxBytes) {
    payload.resume();
    throw tooMany();
  }
  // Its tensors may be views of it: the garbage collector frees it.
  return (await readBytes(payload, { maxBytes, expectedBytes, held, tooMany, what: 'body' })).bytes;
}

function tooManyBytes(maxBytes: number, when = ''): ProblemError {
  const detail = `The body has more than ${maxBytes} bytes${when}: QUATI_MAX_BODY_BYTES sets how many are allowed`;
  return new ProblemError('too_many_bytes', detail);
}

/** Is called when the body has been read. */
export function patienceOf(request: FastifyRequest, reply: FastifyReply, deadlineMs: number): Patience {
  return { signal: signalOfClient(reply), deadline: deadlineOf(request, reply, deadlineMs) };
}

/** Awaited between two slices of a long text. @throws if the client has gone or the deadline has passed */
export type Pause = () => Promise<void>;

/**
 * Parses the body of the request. Small bodies are parsed at once; others, and compressed ones, take turns.
 * @throws what `parse` throws; ProblemError bad_request, too_many_bytes, unsupported_type; as BodyRoom.inTurn
 */
export async function parseBody<Result>(
  request: FastifyRequest,
  room: BodyRoom,
  patience: Patience,
  parse: (body: Buffer, pause: Pause) => Promise<Result>,
): Promise<Result> {
  const { bodyLimit = 0, heldBytes } = request;
  const sent = takeBody(request);
  const encoding = encodingOf(request.headers);
  const pause = async () => {
    await nextTurn();
    patience.signal.throwIfAborted();
    if (monotonicMs() > patience.deadline) throw bodyTooLate();
  };
  try {
    if (encoding === 'identity' && sent.length <= sliceBytes) return await parse(sent, pause);
    return await room.inTurn(patience, async () => {
      await pause();
      return await parse(await decompress(sent, encoding, bodyLimit), pause);
    });
  } finally {
    heldBytes?.release();
  }
}

/** The request does not hold the bytes any longer. @throws ProblemError bad_request if there is no body. */
function takeBody(request: FastifyRequest): Buffer {
  const { body } = request;
  request.body = undefined;
  if (Buffer.isBuffer(body) && body.length > 0) return body;
  throw new ProblemError('bad_request', 'The request has no body');
}

async function decompress(body: Buffer, encoding: Encoding | 'identity', maxBytes: number): Promise<Buffer> {
  if (encoding === 'identity') return body;
  const chunkSize = Math.min(maxChunk, Math.max(minChunk, 4 * body.length));
  try {
    return await decompressors[encoding](body, { maxOutputLength: maxBytes, chunkSize });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooManyBytes(maxBytes, ' once it is decompressed');
    throw new ProblemError('bad_request', `The body can't be decompressed as ${encoding}: ${message}`, {
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
  return negotiate(String(headers['accept-encoding'] ?? '').toLowerCase(), [...encodings]);
}
