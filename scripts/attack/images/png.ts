// Sizes and counts → PNGs that are small as files and large after decoding; always the same bytes.
import { crc32 } from 'node:zlib';
import { type Run, zlibOfRuns } from './runs.js';

export type PngColour = 'gray' | 'rgb' | 'palette' | 'gray-alpha' | 'rgba';

export interface FlatPng {
  width: number;
  height: number;
  /** Default: rgb. */
  colour?: PngColour;
  /** The bits of a sample; default 8. Section 11.2.1 of the specification lists the valid ones per colour. */
  bits?: 1 | 2 | 4 | 8 | 16;
  interlaced?: boolean;
  /** The value of every sample except alpha, 0…1; default 0.5. */
  level?: number;
}

const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const colours: Record<PngColour, { type: number; samples: number }> = {
  gray: { type: 0, samples: 1 },
  rgb: { type: 2, samples: 3 },
  palette: { type: 3, samples: 1 },
  'gray-alpha': { type: 4, samples: 2 },
  rgba: { type: 6, samples: 4 },
};
/** Adam7: the start and the steps of each pass (specification, 8.2). */
const passes = [
  { x: 0, y: 0, right: 8, down: 8 },
  { x: 4, y: 0, right: 8, down: 8 },
  { x: 0, y: 4, right: 4, down: 8 },
  { x: 2, y: 0, right: 4, down: 4 },
  { x: 0, y: 2, right: 2, down: 4 },
  { x: 1, y: 0, right: 2, down: 2 },
  { x: 0, y: 1, right: 1, down: 2 },
];
/** Longer rows are built from pixels and not repeated as rows. */
const longRow = 2 ** 16;

/** Returns an opaque PNG of one colour, of any size. 25 megapixels have about 80 kB. */
export function flatPng(options: FlatPng): Buffer {
  return assemble(options, [], zlibOfRuns(rowsOf(options)));
}

/** Returns a small PNG with `count` empty chunks of 12 bytes before its pixels. `IDAT` and `IEND` are possible, too. */
export function pngOfEmptyChunks(count: number, type = 'quAt'): Buffer {
  const small: FlatPng = { width: 8, height: 8 };
  const empty = chunk(type, Buffer.alloc(0));
  return assemble(small, [Buffer.alloc(count * empty.length, empty)], zlibOfRuns(rowsOf(small)));
}

/** Returns a small PNG with its pixels in chunks of one byte. */
export function pngOfTinyChunks(options: FlatPng): Buffer {
  const packed = zlibOfRuns(rowsOf(options));
  const chunks = Array.from(packed, (byte) => chunk('IDAT', Buffer.of(byte)));
  return Buffer.concat([
    signature,
    header(options),
    ...palette(options),
    ...chunks,
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Returns a small PNG with chunks that each inflate to `inflatedBytes` zeros: a profile, texts, or surplus pixels. */
export function pngBomb(type: 'iCCP' | 'zTXt' | 'iTXt' | 'IDAT', inflatedBytes: number, chunks = 1): Buffer {
  const small: FlatPng = { width: 8, height: 8 };
  const zeros: Run = { pattern: Buffer.alloc(1), times: inflatedBytes };
  if (type === 'IDAT') return assemble(small, [], zlibOfRuns([...rowsOf(small), zeros]));
  // The keyword, its end, and the fields before the compressed data (specification, 11.3.2.3 and 11.3.3).
  const before = { iCCP: 'name\0\0', zTXt: 'name\0\0', iTXt: 'name\0\x01\0\0\0' }[type];
  const one = chunk(type, Buffer.concat([Buffer.from(before, 'latin1'), zlibOfRuns([zeros])]));
  return assemble(small, [Buffer.alloc(chunks * one.length, one)], zlibOfRuns(rowsOf(small)));
}

/** Returns a PNG that states a size and ends before its pixels. */
export function hollowPng(width: number, height: number): Buffer {
  return assemble({ width, height }, [], zlibOfRuns([]));
}

function assemble(options: FlatPng, before: readonly Buffer[], packed: Buffer): Buffer {
  return Buffer.concat([
    signature,
    header(options),
    ...before,
    ...palette(options),
    chunk('IDAT', packed),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function header({ width, height, colour = 'rgb', bits = 8, interlaced = false }: FlatPng): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data.set([bits, colours[colour].type, 0, 0, interlaced ? 1 : 0], 8);
  return chunk('IHDR', data);
}

function palette({ colour = 'rgb', level = 0.5 }: FlatPng): Buffer[] {
  return colour === 'palette' ? [chunk('PLTE', Buffer.alloc(3, Math.round(level * 255)))] : [];
}

/** Builds rows of the filter type 0 and the pixels. */
function rowsOf(options: FlatPng): Run[] {
  const { width, height, interlaced = false } = options;
  if (!interlaced) return rowsOfPass(options, width, height);
  return passes.flatMap(({ x, y, right, down }) =>
    rowsOfPass(options, Math.ceil((width - x) / right), Math.ceil((height - y) / down)),
  );
}

function rowsOfPass(options: FlatPng, width: number, height: number): Run[] {
  if (width <= 0 || height <= 0) return [];
  const pixel = pixelOf(options);
  const { colour = 'rgb', bits = 8 } = options;
  const row = Math.ceil((width * colours[colour].samples * bits) / 8);
  const filter: Run = { pattern: Buffer.alloc(1), times: 1 };
  const pixels: Run = { pattern: pixel, times: row / pixel.length };
  if (row > longRow) return Array.from({ length: height }, () => [filter, pixels]).flat();
  return [{ pattern: Buffer.concat([filter.pattern, Buffer.alloc(row, pixel)]), times: height }];
}

/** Returns one pixel as bytes, or one byte of pixels with less than 8 bits. */
function pixelOf({ colour = 'rgb', bits = 8, level = 0.5 }: FlatPng): Buffer {
  const most = 2 ** bits - 1;
  const sample = colour === 'palette' ? 0 : Math.round(level * most);
  if (bits < 8) return Buffer.of((sample * 255) / most);
  const { samples } = colours[colour];
  const isAlpha = (i: number) => samples % 2 === 0 && i === samples - 1;
  const values = Array.from({ length: samples }, (_, i) => (isAlpha(i) ? most : sample));
  return Buffer.from(bits === 8 ? values : values.flatMap((value) => [value >> 8, value & 255]));
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
