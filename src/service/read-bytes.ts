// a stream that arrives → its bytes, which hold room and have a limit.
import type { Readable } from 'node:stream';
import { freeBuffer } from '../inference/free-buffer.js';
import type { HeldBytes } from './body-room.js';
import { ProblemError } from './errors.js';

export interface ReadOptions {
  maxBytes: number;
  /** As many as the sender announced, or undefined. */
  expectedBytes?: number | undefined;
  held: HeldBytes;
  /** Creates the error of a stream with more than `maxBytes`. */
  tooMany(): Error;
  /** The name of the stream in an error. */
  what: string;
}

export interface ReceivedBytes {
  bytes: Buffer;
  /** Gives the memory back at once: `bytes` are empty then. */
  free(): void;
}

/**
 * Reads by events: for a small body, an async iterator costs as much as everything else together. Unread data would block the
 * connection, so the rest of a refused stream is read and discarded, until the request timeout at the latest.
 * @throws what `tooMany` creates, ProblemError queue_full, or bad_request if the stream broke off.
 */
export function readBytes(stream: Readable, options: ReadOptions): Promise<ReceivedBytes> {
  const { maxBytes, expectedBytes = maxBytes, held, tooMany, what } = options;
  return new Promise((resolve, reject) => {
    const collector = new Collector(Math.min(expectedBytes, maxBytes));
    let failed = false;
    const fail = (error: unknown) => {
      failed = true;
      stream.removeAllListeners('data');
      collector.free();
      reject(error);
    };
    stream.on('data', (chunk: Buffer) => {
      try {
        if (collector.length + chunk.length > maxBytes) throw tooMany();
        held.add(chunk.length);
        collector.add(chunk);
      } catch (error) {
        fail(error);
        stream.resume();
      }
    });
    stream.once('end', () => {
      if (!failed) resolve({ bytes: collector.bytes(), free: () => collector.free() });
    });
    stream.once('error', fail);
    stream.once('close', () => {
      if (!stream.readableEnded) fail(new ProblemError('bad_request', `The ${what} broke off`));
    });
  });
}

/** The size of the first buffer in bytes. Most bodies are a single chunk, which needs no buffer. */
const firstCapacity = 256 * 1024;

/** Chunks → one buffer. It grows with what has arrived, because a sender may announce more than it sends. */
class Collector {
  length = 0;
  #first: Buffer | undefined;
  #all: Uint8Array<ArrayBuffer> | undefined;

  constructor(readonly expected: number) {}

  add(chunk: Buffer): void {
    const end = this.length + chunk.length;
    if (this.length === 0) this.#first = chunk;
    else {
      this.#reserve(end);
      this.#all?.set(chunk, this.length);
    }
    this.length = end;
  }

  bytes(): Buffer {
    if (this.#all) return Buffer.from(this.#all.buffer, 0, this.length);
    return this.#first ?? Buffer.alloc(0);
  }

  free(): void {
    // A first chunk may be a part of a buffer that holds other data.
    if (this.#all) freeBuffer(this.#all.buffer);
  }

  #reserve(end: number): void {
    const before = this.#all ?? this.#first ?? new Uint8Array();
    if (this.#all && this.#all.length >= end) return;
    const capacity = Math.max(end, Math.min(this.expected, Math.max(firstCapacity, 2 * end)));
    const all = new Uint8Array(capacity);
    all.set(before);
    this.free();
    this.#all = all;
  }
}
