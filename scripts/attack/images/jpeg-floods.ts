// Counts → JPEGs with many more segments, scans or markers than an image needs, or with false sizes; always the same bytes.
import { type FlatJpeg, flatJpeg, marker, scanHeader, segment } from './jpeg.js';
import { progressiveBlocks, type Scan, tables } from './jpeg-entropy.js';

const small: FlatJpeg = { width: 8, height: 8, sampling: 'gray' };
const [startOfFrame, startOfScan, endOfImage] = [0xc0, 0xda, 0xd9];

/** Adds `count` segments with zeros before the image. The default is an empty APP1 (0xe1) of 4 bytes. */
export function jpegOfSegments(count: number, { code = 0xe1, bytes = 0 } = {}): Buffer {
  const one = segment(code, Buffer.alloc(bytes));
  return flatJpeg({ ...small, before: [Buffer.alloc(count * one.length, one)] });
}

/** Adds `count` bytes of 0xff before a marker. */
export function jpegOfFill(count: number): Buffer {
  return flatJpeg({ ...small, before: [Buffer.alloc(count, 0xff)] });
}

/**
 * Returns a gray progressive JPEG with empty scans of AC coefficients. Each has 14 bytes, and a decoder passes over all blocks for
 * it. With tables, each scan repeats the Huffman table, like optimising encoders do, and has 50 bytes.
 */
export function jpegOfScans(options: {
  width: number;
  height: number;
  scans: number;
  withTables?: boolean;
}): Buffer {
  const { width, height, scans, withTables = false } = options;
  const first: Scan = { components: [0], from: 0, to: 0, high: 0, low: 0 };
  const empty: Scan = { components: [0], from: 1, to: 63, high: 0, low: 0 };
  const blocks = Math.ceil(width / 8) * Math.ceil(height / 8);
  const { counts, symbols } = tables.ac;
  const one = Buffer.concat([
    ...(withTables ? [segment(0xc4, Buffer.from([0x10, ...counts, ...symbols]))] : []),
    scanHeader(empty),
    progressiveBlocks(blocks, empty, 0),
  ]);
  const start = withoutEnd(flatJpeg({ width, height, sampling: 'gray', progressive: [first] }));
  return Buffer.concat([start, Buffer.alloc(scans * one.length, one), marker(endOfImage)]);
}

/** Returns the data of 8 x 8 pixels after a header with a larger size. */
export function lyingJpeg(width: number, height: number, progressive = false): Buffer {
  const file = flatJpeg({ ...small, progressive });
  const at = file.indexOf(marker(progressive ? 0xc2 : startOfFrame));
  file.writeUInt16BE(height, at + 5);
  file.writeUInt16BE(width, at + 7);
  return file;
}

/** Returns an image with `count` restart markers at the end of its data. */
export function jpegOfRestarts(count: number): Buffer {
  const cycle = Buffer.concat(Array.from({ length: 8 }, (_, i) => marker(0xd0 + i)));
  return Buffer.concat([withoutEnd(flatJpeg(small)), Buffer.alloc(2 * count, cycle), marker(endOfImage)]);
}

/** Adds `count` segments that each set the restart interval again. */
export function jpegOfRestartIntervals(count: number): Buffer {
  const one = segment(0xdd, Buffer.of(0, 1));
  return flatJpeg({ ...small, before: [Buffer.alloc(count * one.length, one)] });
}

/** Returns an image without a height in its header. A DNL segment after the first scan gives it (T.81, B.2.5). */
export function jpegOfLateHeight(width: number, height: number): Buffer {
  const file = withoutEnd(flatJpeg({ ...small, width, height }));
  file.writeUInt16BE(0, file.indexOf(marker(startOfFrame)) + 5);
  return Buffer.concat([file, segment(0xdc, Buffer.of(height >> 8, height & 255)), marker(endOfImage)]);
}

/** Returns the header of the image and of its first scan, without data. */
export function hollowJpeg(width: number, height: number): Buffer {
  const file = lyingJpeg(width, height);
  const at = file.indexOf(marker(startOfScan));
  return file.subarray(0, at + 2 + file.readUInt16BE(at + 2));
}

function withoutEnd(file: Buffer): Buffer {
  return file.subarray(0, -2);
}
