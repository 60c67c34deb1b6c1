// Sizes and counts → GIFs of one colour: huge canvases, many frames, data that expands very much; always the same bytes.

export interface FlatGif {
  /** The size of the canvas, each side up to 65,535. */
  width: number;
  height: number;
  /** Default 1. */
  frames?: number;
  /** The size of each frame; default: the canvas. */
  frame?: { width: number; height: number };
}

const [firstFree, clear, end] = [6, 4, 5];
/** Colours of 2 bits, so codes start with 3 bits. */
const symbolBits = 2;
const mostCodes = 4096;
const looping = Buffer.from('\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0', 'latin1');

/** Returns a GIF of one colour. A frame of 16 megapixels has about 10 kB, a frame of one pixel 26 bytes. */
export function flatGif({ width, height, frames = 1, frame = { width, height } }: FlatGif): Buffer {
  const header = Buffer.from('GIF89a\0\0\0\0\x91\0\0', 'latin1');
  header.writeUInt16LE(width, 6);
  header.writeUInt16LE(height, 8);
  const palette = Buffer.from([60, 120, 180, 255, 255, 255, 0, 0, 0, 127, 127, 127]);
  const one = frameOf(frame.width, frame.height);
  const loop = frames > 1 ? [looping] : [];
  return Buffer.concat([header, palette, ...loop, Buffer.alloc(frames * one.length, one), Buffer.from(';')]);
}

/** Returns an image whose data holds `morePixels` more pixels than its size. */
export function gifBomb(width: number, height: number, morePixels: number): Buffer {
  const file = flatGif({ width, height, frame: { width: 1, height: 1 } });
  const start = file.subarray(0, file.indexOf(0x2c, 13 + 12));
  return Buffer.concat([start, frameOf(width, height, width * height + morePixels), Buffer.from(';')]);
}

function frameOf(width: number, height: number, pixels = width * height): Buffer {
  const control = Buffer.from([0x21, 0xf9, 4, 0, 10, 0, 0, 0]);
  const descriptor = Buffer.alloc(10);
  descriptor[0] = 0x2c;
  descriptor.writeUInt16LE(width, 5);
  descriptor.writeUInt16LE(height, 7);
  return Buffer.concat([
    control,
    descriptor,
    Buffer.of(symbolBits),
    ...blocksOf(packZeros(pixels)),
    Buffer.of(0),
  ]);
}

/**
 * Encodes a run of zeros with LZW. Each code is one pixel longer than the previous one, until all 4,096 are used. After that the
 * longest repeats. A code has as many bits as the largest code so far needs.
 */
function packZeros(pixels: number): Buffer {
  const bytes: number[] = [];
  let [held, count] = [0, 0];
  let bits = symbolBits + 1;
  const put = (code: number) => {
    held |= code << count;
    for (count += bits; count >= 8; count -= 8) {
      bytes.push(held & 255);
      held >>>= 8;
    }
  };
  put(clear);
  let [next, longest] = [firstFree, 1];
  let left = pixels;
  for (let first = true; left > 0; first = false) {
    const length = Math.min(left, longest);
    put(length === 1 ? 0 : firstFree + length - 2);
    left -= length;
    if (first) longest = 2;
    else if (next < mostCodes) {
      next++;
      longest = Math.min(longest + 1, mostCodes - firstFree + 1);
      if (next === 2 ** bits && bits < 12) bits++;
    }
  }
  put(end);
  if (count > 0) bytes.push(held & 255);
  return Buffer.from(bytes);
}

/** Splits data into blocks of at most 255 bytes, each after its length. */
function* blocksOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 255) {
    const block = bytes.subarray(at, at + 255);
    yield Buffer.of(block.length);
    yield block;
  }
}
