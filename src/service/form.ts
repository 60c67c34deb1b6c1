// a multipart body → the file in its field "file". Other parts only count as bytes of the body.
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy';
import { cut } from './cut.js';
import { ProblemError } from './errors.js';
import type { ReceivedBytes } from './read-bytes.js';

const fieldName = 'file';
/** An error about a form without the field lists at most so many other names. */
const maxNames = 5;
/** A form of 10 MB could have two million parts, which take busboy ten seconds. */
const maxParts = 1000;
/** The limits for the headers of one part. A browser sends two headers. */
const partHeaders = { headerPairs: 32, headerSize: 16 * 1024 };

export interface FormReading {
  maxFileBytes: number;
  /** The most bytes of the whole form. */
  maxBytes: number;
  /** Reads the file as it arrives. */
  read(file: Readable): Promise<ReceivedBytes>;
  tooMany(): Error;
}

/** @throws ProblemError bad_request; what `read` and `tooMany` give; errors of the stream and of the parser. */
export async function readFormFile(
  body: Readable,
  headers: IncomingHttpHeaders,
  { maxFileBytes, maxBytes, read, tooMany }: FormReading,
): Promise<ReceivedBytes> {
  const parser = createParser(headers, maxFileBytes);
  let reading: Promise<ReceivedBytes> | undefined;
  let arriving: BusboyFileStream | undefined;
  let bytes = 0;
  const names: string[] = [];
  const parsed = new Promise<void>((resolve, refuse) => {
    const reject = (error: unknown) => {
      // At once: awaiting the promise would let the parser read on.
      body.unpipe(parser);
      refuse(error);
    };
    parser.on('file', (_name, file) => {
      arriving = file;
      reading = readWhole(file, read, tooMany);
      reading.catch(reject);
    });
    parser.on('filesLimit', () => reject(arriving?.truncated ? tooMany() : comesTwice()));
    parser.on('partsLimit', () => reject(hasTooManyParts()));
    parser.on('field', (name: string | undefined) => {
      if (name === fieldName) reject(hasNoFilename());
      else if (name !== undefined && names.length < maxNames) names.push(cut(name));
    });
    body.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) reject(tooMany());
    });
    for (const stream of [body, parser]) stream.once('error', reject);
    body.once('close', () => body.readableEnded || reject(brokeOff()));
    parser.once('finish', resolve);
  });
  body.pipe(parser);
  try {
    await parsed;
  } catch (error) {
    arriving?.destroy();
    void reading?.then(({ free }) => free()).catch(() => {});
    throw error;
  }
  if (!reading) throw hasNoFile(names);
  return await reading;
}

/** Nothing of a part without a file is kept but its name. */
function createParser(headers: IncomingHttpHeaders, maxFileBytes: number): BusboyInstance {
  return new Busboy({
    headers: { ...headers, 'content-type': headers['content-type'] ?? '' },
    limits: { ...partHeaders, parts: maxParts, files: 1, fileSize: maxFileBytes, fieldSize: 0 },
    isPartAFile: (name, type, filename) =>
      name === fieldName && (filename !== undefined || type === 'application/octet-stream'),
  });
}

async function readWhole(
  file: BusboyFileStream,
  read: FormReading['read'],
  tooMany: FormReading['tooMany'],
): Promise<ReceivedBytes> {
  const image = await read(file);
  // The stream of a file ends at the limit.
  if (!file.truncated) return image;
  image.free();
  throw tooMany();
}

function comesTwice(): ProblemError {
  return new ProblemError('bad_request', `The field "${fieldName}" comes twice: one image a request`);
}

function hasTooManyParts(): ProblemError {
  return new ProblemError('bad_request', `The form has more than ${maxParts} parts`);
}

function hasNoFilename(): ProblemError {
  const detail = `The part "${fieldName}" has no filename, so it is text: send it as a file (filename="image.png" in its Content-Disposition, or curl -F ${fieldName}=@image.png)`;
  return new ProblemError('bad_request', detail);
}

function hasNoFile(names: readonly string[]): ProblemError {
  const others = names.length > 0 ? `; it has ${names.join(', ')}` : '';
  return new ProblemError('bad_request', `The form has no field "${fieldName}"${others}`);
}

function brokeOff(): ProblemError {
  return new ProblemError('bad_request', 'The form broke off');
}
