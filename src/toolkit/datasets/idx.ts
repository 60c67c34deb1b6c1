// IDX bytes, plain or gzipped → dimensions and uint8 data. MNIST is published in this format.
import { gunzipSync } from 'node:zlib';
import { IdxError } from './errors.js';

export interface IdxArray {
  dims: number[];
  data: Uint8Array;
}

const uint8Type = 0x08;
const maxUnzippedBytes = 2 ** 30;

/**
 * Parses two zero bytes, the type, the number of dimensions, each dimension's size as a big-endian uint32, and the data.
 * @param file names the origin in errors.
 * @param dimensions how many dimensions are expected.
 * @returns `data` in C order, as a view of the bytes.
 * @throws IdxError naming the file and what is wrong with it.
 */
export function parseIdx(bytes: Uint8Array, file: string, dimensions: number): IdxArray {
  const plain = unzip(bytes, file);
  const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength);
  if (plain.length < 4 || view.getUint16(0) !== 0)
    throw new IdxError(`${file}: is not an IDX file (it does not start with two zero bytes)`);
  const type = view.getUint8(2);
  if (type !== uint8Type)
    throw new IdxError(`${file}: type: expected 0x08 (uint8), got 0x${type.toString(16).padStart(2, '0')}`);
  const rank = view.getUint8(3);
  if (rank !== dimensions) throw new IdxError(`${file}: expected ${dimensions} dimensions, got ${rank}`);
  const start = 4 + 4 * rank;
  if (plain.length < start)
    throw new IdxError(`${file}: expected a header of ${start} bytes, but the file has ${plain.length}`);
  const dims = Array.from({ length: rank }, (_, index) => view.getUint32(4 + 4 * index));
  const expected = dims.reduce((product, size) => product * size, 1);
  const data = plain.subarray(start);
  if (data.length !== expected)
    throw new IdxError(`${file}: expected ${expected} bytes for (${dims.join(', ')}), got ${data.length}`);
  return { dims, data };
}

/** Unzips bytes; returns them unchanged if they are not gzipped. @throws IdxError naming the file. */
export function unzip(bytes: Uint8Array, file: string): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: maxUnzippedBytes });
  } catch (cause) {
    throw new IdxError(`${file}: cannot be unzipped: ${(cause as Error).message}`, { cause });
  }
}
