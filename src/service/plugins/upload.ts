// a request's body, multipart or the image itself → request.readImage(): its bytes, at most maxUploadBytes.
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import multipart, { type Multipart } from '@fastify/multipart';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { BodyRoom, HeldBytes } from '../body-room.js';
import { ProblemError } from '../errors.js';
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

/** Room for a multipart body's headers, boundaries and small fields. */
const multipartOverheadBytes = 64 * 1024;
const limits = { files: 8, fields: 16, parts: 24, fieldSize: 1024, headerPairs: 32 };

/** Replaces all body parsing of the scope that it is registered in. */
export const upload = fp(
  async (app: FastifyInstance, { maxUploadBytes, room }: UploadOptions) => {
    app.removeAllContentTypeParsers();
    await app.register(multipart, { limits: { ...limits, fileSize: maxUploadBytes } });
    app.addContentTypeParser('application/octet-stream', (_request, _payload, done) => done(null));
    // An image is judged by its bytes. A body is read whatever its content type is, even a malformed one.
    app.addHook('onRequest', async ({ raw: { headers } }) => {
      if (!/^multipart\/form-data\b/i.test(headers['content-type'] ?? ''))
        headers['content-type'] = 'application/octet-stream';
    });
    app.decorateRequest('readImage', async function readImage(this: FastifyRequest) {
      const expectedBytes = Number(this.headers['content-length'] ?? maxUploadBytes);
      const upload = { maxUploadBytes, expectedBytes, held: room.hold() };
      try {
        refuseDeclared(this, maxUploadBytes);
        const { bytes, free } = this.isMultipart()
          ? await readFileField(this, upload)
          : await readRaw(this.raw, upload);
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
        throw asProblem(error, maxUploadBytes);
      }
    });
  },
  { name: 'upload' },
);

function refuseDeclared(request: FastifyRequest, maxUploadBytes: number): void {
  const overhead = request.isMultipart() ? multipartOverheadBytes : 0;
  if (Number(request.headers['content-length'] ?? 0) > maxUploadBytes + overhead)
    throw tooManyBytes(maxUploadBytes);
}

interface Upload {
  maxUploadBytes: number;
  expectedBytes: number;
  held: HeldBytes;
}

async function readFileField(request: FastifyRequest, upload: Upload): Promise<ReceivedBytes> {
  let image: ReceivedBytes | undefined;
  const others: string[] = [];
  try {
    for await (const part of request.parts()) {
      if (part.fieldname !== 'file') {
        others.push(part.fieldname);
        if (part.type === 'file') part.file.resume();
        continue;
      }
      if (image) throw new ProblemError('bad_request', 'The field "file" comes twice: one image a request');
      image = await readPart(part, upload);
    }
  } catch (error) {
    image?.free();
    throw error;
  }
  if (image) return image;
  const names = others.length > 0 ? `; it has ${others.join(', ')}` : '';
  throw new ProblemError('bad_request', `The form has no field "file"${names}`);
}

async function readPart(part: Multipart, upload: Upload): Promise<ReceivedBytes> {
  if (part.type !== 'file')
    throw new ProblemError(
      'bad_request',
      'The field "file" holds text: send a file (curl -F file=@image.png)',
    );
  const image = await readAll(part.file, upload);
  // The stream of a file ends at the limit.
  if (!part.file.truncated) return image;
  image.free();
  throw tooManyBytes(upload.maxUploadBytes);
}

async function readRaw(body: IncomingMessage, upload: Upload): Promise<ReceivedBytes> {
  const image = await readAll(body, upload);
  if (image.bytes.length === 0) throw noImage();
  return image;
}

function readAll(stream: Readable, { maxUploadBytes, expectedBytes, held }: Upload): Promise<ReceivedBytes> {
  const tooMany = () => tooManyBytes(maxUploadBytes);
  return readBytes(stream, { maxBytes: maxUploadBytes, expectedBytes, held, tooMany, what: 'upload' });
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

function asProblem(error: unknown, maxUploadBytes: number): ProblemError {
  if (error instanceof ProblemError) return error;
  const { code, message } = error as { code?: string; message: string };
  if (code === 'FST_REQ_FILE_TOO_LARGE') return tooManyBytes(maxUploadBytes);
  return new ProblemError('bad_request', `The body can't be read: ${message}`, { cause: error });
}
