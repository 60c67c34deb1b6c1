// .npy bytes (format 1.0, C order) ⇄ typed array and shape.
import { readFile, writeFile } from 'node:fs/promises';
import { NpyError } from './errors.js';

export type NpyArray =
  | { dtype: 'uint8'; shape: number[]; data: Uint8Array }
  | { dtype: 'float32'; shape: number[]; data: Float32Array }
  | { dtype: 'int64'; shape: number[]; data: BigInt64Array };

const descrOf = { uint8: '|u1', float32: '<f4', int64: '<i8' } as const;
const magic = Buffer.from('\x93NUMPY', 'latin1');
const prefixBytes = 10;
const alignment = 64;

/**
 * Encodes an array without copying it.
 * @returns the header and the data, to be written in this order.
 * @throws NpyError if the shape and the number of elements differ.
 */
export function encodeNpy(array: NpyArray): [header: Uint8Array, data: Uint8Array] {
  const { dtype, shape, data } = array;
  const expected = elementCount(shape, 'encodeNpy');
  if (data.length !== expected)
    throw new NpyError(`encodeNpy: expected ${expected} elements for shape (${shape}), got ${data.length}`);
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dict = `{'descr': '${descrOf[dtype]}', 'fortran_order': False, 'shape': (${tuple}), }`;
  const total = Math.ceil((prefixBytes + dict.length + 1) / alignment) * alignment;
  const header = Buffer.alloc(total, ' ');
  magic.copy(header);
  header.writeUInt8(1, 6);
  header.writeUInt8(0, 7);
  header.writeUInt16LE(total - prefixBytes, 8);
  header.write(dict, prefixBytes, 'latin1');
  header.write('\n', total - 1, 'latin1');
  return [header, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
}

/**
 * Decodes an array. Its data is a view of `bytes` if these are aligned, else a copy.
 * @param file names the origin in errors.
 * @throws NpyError naming the file and what is wrong with it.
 */
export function decodeNpy(bytes: Uint8Array, file: string): NpyArray {
  const header = readHeader(bytes, file);
  const shape = parseShape(header.dict, file);
  const body = bytes.subarray(header.end);
  const descr = matchKey(header.dict, 'descr', /'([^']*)'/, file);
  const count = elementCount(shape, file);
  switch (descr) {
    case '|u1':
      return { dtype: 'uint8', shape, data: elements(body, count, 1, file) };
    case '<f4': {
      const aligned = elements(body, count, 4, file);
      return { dtype: 'float32', shape, data: new Float32Array(aligned.buffer, aligned.byteOffset, count) };
    }
    case '<i8': {
      const aligned = elements(body, count, 8, file);
      return { dtype: 'int64', shape, data: new BigInt64Array(aligned.buffer, aligned.byteOffset, count) };
    }
    default:
      throw new NpyError(`${file}: dtype: expected |u1, <f4 or <i8, got ${descr}`);
  }
}

/** Writes a .npy file. @throws NpyError if the shape and the number of elements differ; errors of the file system. */
export async function writeNpy(file: string, array: NpyArray): Promise<void> {
  await writeFile(file, encodeNpy(array));
}

/** Reads a .npy file. @throws NpyError if the file is missing, malformed or not supported. */
export async function readNpy(file: string): Promise<NpyArray> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new NpyError(`${file}: cannot be read: ${(cause as Error).message}`, { cause });
  }
  return decodeNpy(bytes, file);
}

function readHeader(bytes: Uint8Array, file: string): { dict: string; end: number } {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length < prefixBytes || !view.subarray(0, magic.length).equals(magic))
    throw new NpyError(`${file}: is not a .npy file (it does not start with \\x93NUMPY)`);
  const [major, minor] = [view.readUInt8(6), view.readUInt8(7)];
  if (major !== 1 || minor !== 0) throw new NpyError(`${file}: format: expected 1.0, got ${major}.${minor}`);
  const end = prefixBytes + view.readUInt16LE(8);
  if (end > view.length)
    throw new NpyError(`${file}: expected a header of ${end} bytes, but the file has ${view.length}`);
  const dict = view.toString('latin1', prefixBytes, end).trimEnd();
  if (!dict.startsWith('{') || !dict.endsWith('}'))
    throw new NpyError(`${file}: header: expected a dictionary, got ${dict.slice(0, 80)}`);
  if (matchKey(dict, 'fortran_order', /(True|False)/, file) === 'True')
    throw new NpyError(`${file}: fortran_order: expected False, got True`);
  return { dict, end };
}

function matchKey(dict: string, key: string, value: RegExp, file: string): string {
  const found = new RegExp(`'${key}'\\s*:\\s*${value.source}`).exec(dict)?.[1];
  if (found === undefined) throw new NpyError(`${file}: header: no valid '${key}' in ${dict.slice(0, 120)}`);
  return found;
}

function parseShape(dict: string, file: string): number[] {
  const text = matchKey(dict, 'shape', /\(([\d,\s]*)\)/, file);
  const parts = text.split(',').map((part) => part.trim());
  if (parts.at(-1) === '') parts.pop();
  if (parts.some((part) => !/^\d+$/.test(part)))
    throw new NpyError(`${file}: shape: expected a tuple of sizes, got (${text})`);
  return parts.map(Number);
}

function elementCount(shape: number[], file: string): number {
  const count = shape.reduce((product, size) => product * size, 1);
  if (!Number.isSafeInteger(count)) throw new NpyError(`${file}: shape (${shape}) is too large`);
  return count;
}

function elements(body: Uint8Array, count: number, bytesEach: number, file: string): Uint8Array {
  if (body.length !== count * bytesEach)
    throw new NpyError(`${file}: expected ${count * bytesEach} bytes of data, got ${body.length}`);
  if (body.byteOffset % bytesEach !== 0) return new Uint8Array(body);
  return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
}
