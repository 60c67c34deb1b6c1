// a stream that arrives → its bytes, which hold room and have a limit.
import type { Readable } from 'node:stream';
import type { HeldBytes } from './body-room.js';
import { ProblemError } from './errors.js';

export interface ReadOptions {
  maxBytes: number;
  held: HeldBytes;
  /** Creates the error of a stream with more than `maxBytes`. */
  tooMany(): Error;
  /** The name of the stream in an error. */
  what: string;
}

/**
 * Reads by events: for a small body, an async iterator costs as much as everything else together. Unread data would block the
 * connection, so the rest of a refused stream is read and discarded, until the request timeout at the latest.
 * @throws what `tooMany` creates, ProblemError queue_full, or bad_request if the stream broke off.
 */
export function readBytes(stream: Readable, { maxBytes, held, tooMany, what }: ReadOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    stream.on('data', (chunk: Buffer) => {
      length += chunk.length;
      try {
        if (length > maxBytes) throw tooMany();
        held.add(chunk.length);
        chunks.push(chunk);
      } catch (error) {
        stream.removeAllListeners('data');
        stream.resume();
        reject(error);
      }
    });
    stream.once('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    stream.once('error', reject);
    stream.once('close', () => reject(new ProblemError('bad_request', `The ${what} broke off`)));
  });
}
