// tensors ↔ their bytes after the JSON of a message: little-endian, BYTES with four bytes of length before each element.
import { ProblemError } from '../../errors.js';

const lengthBytes = 4;

/** @throws ProblemError bad_request if there are not `count` elements, or one is cut off. */
export function splitElements(bytes: Buffer, count: number, place: string): Buffer[] {
  const elements: Buffer[] = [];
  let found = 0;
  for (let at = 0; at < bytes.length; found++) {
    const left = bytes.length - at - lengthBytes;
    const length = left < 0 ? 0 : bytes.readUInt32LE(at);
    if (length > left) {
      const needed = `element ${found} needs ${lengthBytes} + ${length} bytes`;
      throw new ProblemError('bad_request', `${place}: ${needed}, there are ${left + lengthBytes}`);
    }
    // Ten megabytes of zeros are millions of empty elements: those that are too many are only counted.
    if (found < count) elements.push(bytes.subarray(at + lengthBytes, at + lengthBytes + length));
    at += lengthBytes + length;
  }
  if (found === count) return elements;
  throw wrongElements(place, count, found);
}

export function wrongElements(place: string, count: number, got: number): ProblemError {
  return new ProblemError('bad_request', `${place}: expected ${count} elements, got ${got}`);
}

export function joinElements(elements: readonly string[]): Buffer {
  return Buffer.concat(
    elements.flatMap((element) => {
      const bytes = Buffer.from(element);
      const length = Buffer.alloc(lengthBytes);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
}

/** Copies, because the bytes may be unaligned. @param bytes a multiple of four bytes. */
export function bytesToFloats(bytes: Buffer): Float32Array {
  return new Float32Array(new Uint8Array(bytes).buffer);
}

export function floatsToBytes(values: Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}
