// tensors ↔ their bytes after the JSON of a message: little-endian, BYTES with four bytes of length before each element.
import { ProblemError } from '../../errors.js';

const lengthBytes = 4;

/** @throws ProblemError bad_request if an element is cut off. */
export function splitElements(bytes: Buffer, place: string): Buffer[] {
  const elements: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const left = bytes.length - at - lengthBytes;
    const length = left < 0 ? 0 : bytes.readUInt32LE(at);
    if (length > left) {
      const needed = `element ${elements.length} needs ${lengthBytes} + ${length} bytes`;
      throw new ProblemError('bad_request', `${place}: ${needed}, there are ${left + lengthBytes}`);
    }
    elements.push(bytes.subarray(at + lengthBytes, at + lengthBytes + length));
    at += lengthBytes + length;
  }
  return elements;
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
