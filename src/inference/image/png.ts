// a PNG that only has to be unpacked → its pixels, synchronously; pixels → a PNG.
import { crc32, deflateSync, inflateSync } from 'node:zlib';
import { channelCount } from './channels.js';
import type { InputContract } from './contract.js';

const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const colourTypes = { gray: 0, rgb: 2 } as const;
/** Chunks that change no pixel. A file with any other chunk, such as tRNS, gAMA, iCCP or eXIf, goes to libvips. */
const harmless = new Set(['pHYs', 'sRGB', 'tIME', 'tEXt']);
const [colour, bitDepth, headerLength] = [9, 8, 13];

/**
 * Decodes only an intact image that already has the contract's size and channels, with 8 bits and without interlacing. Every decoder
 * returns the same values for such an image.
 * @returns height x width x channels, 0…255; undefined for every other file, including damaged ones.
 */
export function unpackPng(
  bytes: Uint8Array,
  input: Pick<InputContract, 'width' | 'height' | 'channels'>,
): Uint8Array | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const parts = readChunks(file, input);
  if (!parts) return undefined;
  const packed = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
  const row = input.width * channelCount(input);
  const lines = inflateExactly(packed, input.height * (row + 1));
  return lines && unfilter(lines, row, channelCount(input));
}

/** The parts of the compressed image, if the file consists of IHDR, IDAT, IEND and harmless chunks with correct checksums. */
function readChunks(file: Buffer, input: Parameters<typeof unpackPng>[1]): Buffer[] | undefined {
  if (file.length < 57 || !file.subarray(0, 8).equals(signature)) return undefined;
  const parts: Buffer[] = [];
  let ended = false;
  for (let at = 8; at < file.length; ) {
    if (ended || at + 12 > file.length) return undefined;
    const length = file.readUInt32BE(at);
    const end = at + 8 + length;
    if (end + 4 > file.length || crc32(file.subarray(at + 4, end)) !== file.readUInt32BE(end))
      return undefined;
    const type = file.toString('latin1', at + 4, at + 8);
    const data = file.subarray(at + 8, end);
    if ((at === 8) !== (type === 'IHDR')) return undefined;
    if (type === 'IHDR') {
      if (!isPlain(data, input)) return undefined;
    } else if (type === 'IDAT') parts.push(data);
    else if (type === 'IEND') ended = length === 0;
    else if (!harmless.has(type) || parts.length > 0) return undefined;
    at = end + 4;
  }
  return ended && parts.length > 0 ? parts : undefined;
}

function isPlain(header: Buffer, { width, height, channels }: Parameters<typeof unpackPng>[1]): boolean {
  return (
    header.length === headerLength &&
    header.readUInt32BE(0) === width &&
    header.readUInt32BE(4) === height &&
    header[8] === bitDepth &&
    header[colour] === colourTypes[channels] &&
    header.readUIntBE(10, 3) === 0
  );
}

function inflateExactly(packed: Buffer, length: number): Buffer | undefined {
  try {
    // With `info`, zlib also returns its engine, which knows how far it read. The types lack this.
    const { buffer, engine } = inflateSync(packed, { info: true, maxOutputLength: length }) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    return buffer.length === length && engine.bytesWritten === packed.length ? buffer : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The inverse of PNG's filters (chapter 9 of its specification): each byte is the difference from a prediction, which uses the bytes
 * to the left (a), above (b) and above left (c). @returns undefined if a line has a filter that does not exist.
 */
function unfilter(lines: Buffer, row: number, pixel: number): Uint8Array | undefined {
  const height = lines.length / (row + 1);
  const out = new Uint8Array(height * row);
  for (let y = 0; y < height; y++) {
    const from = y * (row + 1) + 1;
    const undo = filters[lines[from - 1] ?? -1];
    if (!undo) return undefined;
    undo(lines.subarray(from, from + row), out, y * row, row, pixel, y === 0);
  }
  return out;
}

type Undo = (
  line: Uint8Array,
  out: Uint8Array,
  start: number,
  row: number,
  pixel: number,
  first: boolean,
) => void;

const copy: Undo = (line, out, start) => out.set(line, start);

const sub: Undo = (line, out, start, row, pixel) => {
  for (let x = 0; x < row; x++) out[start + x] = at(line, x) + (x < pixel ? 0 : at(out, start + x - pixel));
};

const up: Undo = (line, out, start, row, _pixel, first) => {
  for (let x = 0; x < row; x++) out[start + x] = at(line, x) + (first ? 0 : at(out, start + x - row));
};

const average: Undo = (line, out, start, row, pixel, first) => {
  for (let x = 0; x < row; x++) {
    const a = x < pixel ? 0 : at(out, start + x - pixel);
    const b = first ? 0 : at(out, start + x - row);
    out[start + x] = at(line, x) + ((a + b) >> 1);
  }
};

const paeth: Undo = (line, out, start, row, pixel, first) => {
  for (let x = 0; x < row; x++) {
    const a = x < pixel ? 0 : at(out, start + x - pixel);
    const b = first ? 0 : at(out, start + x - row);
    const c = first || x < pixel ? 0 : at(out, start + x - row - pixel);
    const [toA, toB, toC] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
    out[start + x] = at(line, x) + (toA <= toB && toA <= toC ? a : toB <= toC ? b : c);
  }
};

const filters = [copy, sub, up, average, paeth];

function at(values: Uint8Array, i: number): number {
  return values[i] as number;
}

/** Encodes a PNG. @param pixels height x width x channels, 0…255. */
export function packPng(
  pixels: Uint8Array,
  { width, height, channels }: Pick<InputContract, 'width' | 'height' | 'channels'>,
): Buffer {
  const row = pixels.length / height;
  const lines = Buffer.alloc(height * (row + 1));
  for (let y = 0; y < height; y++) lines.set(pixels.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
  const header = Buffer.alloc(headerLength);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([bitDepth, colourTypes[channels]], 8);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(lines)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A chunk: length of the data, type, data, checksum of type and data. */
function chunk(type: string, data: Buffer): Buffer {
  const whole = Buffer.alloc(12 + data.length);
  whole.writeUInt32BE(data.length, 0);
  whole.write(type, 4, 'latin1');
  data.copy(whole, 8);
  whole.writeUInt32BE(crc32(whole.subarray(4, 8 + data.length)), 8 + data.length);
  return whole;
}
