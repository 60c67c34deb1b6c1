// a request's body, a form or the image itself, plain or compressed → request.readImage(): its bytes, at most maxUploadBytes.
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip, createInflate } from 'node:zlib';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { BodyRoom, HeldBytes } from '../body-room.js';
import { encodingOf } from '../content-encoding.js';
import { ProblemError } from '../errors.js';
import { readFormFile } from '../form.js';
import { type ReceivedBytes, readBytes } from '../read-bytes.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** @throws ProblemError bad_request, too_many_bytes, queue_full */
    readImage(): Promise<UploadedImage>;
  }
}

/** An image holds room for uploads until it is released. */
interface UploadedImage {
  bytes: Buffer;
  /** Call it when the image has its result: its memory is given back, and `bytes` are empty. */
  release(): void;
}

export interface UploadOptions {
  maxUploadBytes: number;
  /** The bound on the bytes of all requests that arrive or wait. */
  room: BodyRoom;
}

/** Room for the headers, boundaries and other fields of a form. */
const formOverheadBytes = 64 * 1024;
const decompressors = { gzip: createGunzip, deflate: createInflate };
/** The bytes of one step of the decompression. With the default of zlib there would be four times as many steps. */
const chunkSize = 64 * 1024;

/** Replaces all body parsing of the scope that it is registered in. */
export const upload = fp(
  async (app: FastifyInstance, { maxUploadBytes, room }: UploadOptions) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('application/octet-stream', (_request, _payload, done) => done(null));
    app.addContentTypeParser('multipart/form-data', (_request, _payload, done) => done(null));
    // An image is judged by its bytes. A body is read whatever its content type is, even a malformed one.
    app.addHook('onRequest', async ({ raw: { headers } }) => {
      if (!isForm(headers)) headers['content-type'] = 'application/octet-stream';
    });
    app.decorateRequest('readImage', async function readImage(this: FastifyRequest) {
      const upload = { maxUploadBytes, held: room.hold() };
      try {
        const { bytes, free } = await readUpload(this.raw, upload);
        return {
          bytes,
          release() {
            free();
            upload.held.release();
          },
        };
      } catch (error) {
        upload.held.release();
        discardRest(this.raw);
        throw asProblem(error);
      }
    });
  },
  { name: 'upload' },
);

interface Upload {
  maxUploadBytes: number;
  held: HeldBytes;
}

function isForm({ 'content-type': type = '' }: IncomingMessage['headers']): boolean {
  return /^multipart\/form-data\b/i.test(type);
}

async function readUpload(request: IncomingMessage, upload: Upload): Promise<ReceivedBytes> {
  const { headers } = request;
  const { maxUploadBytes, held } = upload;
  const maxBytes = maxUploadBytes + (isForm(headers) ? formOverheadBytes : 0);
  const tooMany = () => tooManyBytes(maxUploadBytes);
  const declaredBytes = headers['content-length'];
  if (Number(declaredBytes ?? 0) > maxBytes) throw tooMany();
  const body = decompressed(request, maxBytes, tooMany);
  const expectedBytes = body === request ? Number(declaredBytes ?? maxUploadBytes) : maxUploadBytes;
  const limits = { maxBytes: maxUploadBytes, expectedBytes, held, tooMany, what: 'upload' };
  const read = (stream: Readable) => readBytes(stream, limits);
  try {
    if (isForm(headers))
      return await readFormFile(body, headers, { maxFileBytes: maxUploadBytes, maxBytes, read, tooMany });
    const image = await read(body);
    if (image.bytes.length === 0) throw noImage();
    return image;
  } catch (error) {
    if (body !== request) body.destroy();
    throw error;
  }
}

/** Returns the request itself, or the stream of its decompressed bytes, which have no limit here. */
function decompressed(request: IncomingMessage, maxBytes: number, tooMany: () => Error): Readable {
  const encoding = encodingOf(request.headers);
  if (encoding === 'identity') return request;
  const plain = decompressors[encoding]({ chunkSize });
  let sent = 0;
  request.on('data', (chunk: Buffer) => {
    sent += chunk.length;
    if (sent > maxBytes) plain.destroy(tooMany());
  });
  // pipeline() would close the connection after an error, before the response.
  request.once('close', () => request.readableEnded || plain.destroy(new Error('it broke off')));
  return request.pipe(plain);
}

function noImage(): ProblemError {
  const detail = 'There is no image: send the field "file", or the image as the body';
  return new ProblemError('bad_request', detail);
}

/** Unread data would block the connection: the rest is read and discarded, until the request timeout at the latest. */
function discardRest(body: IncomingMessage): void {
  body.unpipe();
  body.removeAllListeners('data');
  body.resume();
}

function tooManyBytes(maxUploadBytes: number): ProblemError {
  return new ProblemError('too_many_bytes', `The image has more than ${maxUploadBytes} bytes`);
}

function asProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  return new ProblemError('bad_request', `The body can't be read: ${(error as Error).message}`, {
    cause: error,
  });
}
