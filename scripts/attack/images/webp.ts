// Sizes and counts → lossless WebPs that are small as files and large after decoding; always the same bytes.

/** Writes bits, the lowest first, like RFC 9649. */
class Bits {
  #bytes = Buffer.alloc(1024);
  #length = 0;

  put(value: number, count: number): void {
    this.skip(count);
    for (let i = 0; i < count; i++) {
      const at = this.#length - count + i;
      const byte = this.#bytes[at >> 3] ?? 0;
      this.#bytes[at >> 3] = byte | (((value >>> i) & 1) << (at & 7));
    }
  }

  /** Writes `count` zeros. */
  skip(count: number): void {
    this.#length += count;
    if (this.#length > this.#bytes.length * 8)
      this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#bytes.length + Math.ceil(count / 8))]);
  }

  toBuffer(): Buffer {
    return this.#bytes.subarray(0, Math.ceil(this.#length / 8));
  }
}

export interface FlatWebp {
  /** Each side up to 16,383 for libwebp, 16,384 in the format. */
  width: number;
  height: number;
}

const signature = 0x2f;
const opaque = 255;
/** The symbols of the green alphabet: values, and length codes. */
const [values, greenSymbols] = [256, 280];
/** An image of blocks selects groups of prefix codes. The smallest block has 4 x 4 pixels. */
const blockSide = 4;

/** Returns a WebP of one gray, of any size. A pixel needs no bit, so a file has about 40 bytes. */
export function flatWebp({ width, height }: FlatWebp): Buffer {
  return riff(chunk('VP8L', flatData(width, height)));
}

/** Returns an animation of `frames` frames of one gray, each about 60 bytes. */
export function animatedWebp({ width, height, frames }: FlatWebp & { frames: number }): Buffer {
  const canvas = Buffer.alloc(10);
  canvas[0] = 0x02;
  canvas.writeUIntLE(width - 1, 4, 3);
  canvas.writeUIntLE(height - 1, 7, 3);
  const placed = Buffer.alloc(16);
  placed.writeUIntLE(width - 1, 6, 3);
  placed.writeUIntLE(height - 1, 9, 3);
  placed.writeUIntLE(100, 12, 3);
  const frame = chunk('ANMF', Buffer.concat([placed, chunk('VP8L', flatData(width, height))]));
  return riff(
    chunk('VP8X', canvas),
    chunk('ANIM', Buffer.alloc(6)),
    Buffer.alloc(frames * frame.length, frame),
  );
}

/**
 * Returns a black WebP with up to 65,536 groups of five prefix codes, one per block of pixels. Plain codes have one symbol: 9 bytes in
 * the file, 5 kB in memory. Deep codes have 256, so that the decoding tables have a second level: 96 bytes and 9 kB.
 */
export function webpOfCodes(groups: number, { deep = false } = {}): Buffer {
  const across = Math.min(groups, 256);
  const down = Math.ceil(groups / across);
  const bits = new Bits();
  putHeader(bits, across * blockSide, down * blockSide);
  // No transform, no colour cache; several groups, blocks of 2^(0 + 2) pixels.
  bits.put(0b1_0_0, 3);
  bits.put(0, 3);
  putGroupImage(bits, groups, across * down);
  for (let group = 0; group < groups; group++)
    if (deep) putDeepCodes(bits);
    else putFlatCodes(bits, 0);
  // The first symbol of a deep code has one bit: four bits per pixel.
  if (deep) bits.skip(4 * across * down * blockSide ** 2);
  return riff(chunk('VP8L', bits.toBuffer()));
}

function flatData(width: number, height: number): Buffer {
  const bits = new Bits();
  putHeader(bits, width, height);
  // No transform, no colour cache, one group of codes.
  bits.put(0, 3);
  putFlatCodes(bits, 128);
  return bits.toBuffer();
}

function putHeader(bits: Bits, width: number, height: number): void {
  bits.put(signature, 8);
  bits.put(width - 1, 14);
  bits.put(height - 1, 14);
  // No alpha, version 0.
  bits.put(0, 4);
}

/** Writes five codes with a single symbol each: green, red, blue, alpha, distance. */
function putFlatCodes(bits: Bits, level: number): void {
  for (const symbol of [level, level, level, opaque, 0]) putSingle(bits, symbol);
}

/** Writes a code with one symbol of 8 bits. Its use needs no bits. */
function putSingle(bits: Bits, symbol: number): void {
  bits.put(0b1_0_1, 3);
  bits.put(symbol, 8);
}

/** Writes the image of groups: red and green of a pixel are the number of the block's group. */
function putGroupImage(bits: Bits, groups: number, blocks: number): void {
  // No colour cache.
  bits.put(0, 1);
  putAllValues(bits, greenSymbols);
  putAllValues(bits, values);
  for (const symbol of [0, opaque, 0]) putSingle(bits, symbol);
  for (let block = 0; block < blocks; block++) {
    const group = Math.min(block, groups - 1);
    bits.put(reversed(group & 255), 8);
    bits.put(reversed(group >> 8), 8);
  }
}

/** Writes a code in which each of 256 values has 8 bits, and all other symbols have none. */
function putAllValues(bits: Bits, symbols: number): void {
  // A normal code, and the lengths of 12 codes of lengths, in the order 17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8: 0 and 8 have 1 bit.
  bits.put(0, 1);
  bits.put(12 - 4, 4);
  for (let i = 0; i < 12; i++) bits.put(i === 2 || i === 11 ? 1 : 0, 3);
  // Lengths of all symbols follow: 8 is the code 1, 0 the code 0.
  bits.put(0, 1);
  for (let symbol = 0; symbol < symbols; symbol++) bits.put(symbol < values ? 1 : 0, 1);
}

/** Writes codes with 256 symbols for green, red, blue and alpha, and one symbol for distance. */
function putDeepCodes(bits: Bits): void {
  for (const symbols of [greenSymbols, values, values, values]) putDeepCode(bits, symbols);
  putSingle(bits, 0);
}

/**
 * Writes lengths of 1, 8, and 254 times 9 bits. A table of 8 bits holds only the first two. In the code of lengths, 16 (a repetition)
 * has 1 bit; 1, 8, 9 and 18 (a run of zeros) have 3 bits.
 */
function putDeepCode(bits: Bits, symbols: number): void {
  bits.put(0, 1);
  bits.put(13 - 4, 4);
  for (const length of [0, 3, 0, 3, 0, 0, 0, 0, 1, 0, 0, 3, 3]) bits.put(length, 3);
  bits.put(0, 1);
  const [one, eight, nine, zeros] = [0b001, 0b101, 0b011, 0b111];
  for (const code of [one, eight, nine]) bits.put(code, 3);
  // 253 more: 3 to 6 each time.
  for (let left = 253; left > 0; ) {
    const times = left > 6 + 3 || left === 6 ? 6 : Math.min(left, Math.max(3, left - 3));
    bits.put(0, 1);
    bits.put(times - 3, 2);
    left -= times;
  }
  if (symbols === values) return;
  bits.put(zeros, 3);
  bits.put(symbols - values - 11, 7);
}

/** Writes the first bit of a code first; the lowest bit of the value is its last. */
function reversed(value: number): number {
  let result = 0;
  for (let i = 0; i < 8; i++) result |= ((value >> i) & 1) << (7 - i);
  return result;
}

function riff(...chunks: Buffer[]): Buffer {
  return chunk('RIFF', Buffer.concat([Buffer.from('WEBP'), ...chunks]));
}

function chunk(type: string, data: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.write(type, 'latin1');
  header.writeUInt32LE(data.length, 4);
  return Buffer.concat([header, data, Buffer.alloc(data.length % 2)]);
}
