// the bits of a lossless WebP → the number of groups of prefix codes that a decoder builds, without decoding the pixels.
// https://developers.google.com/speed/webp/docs/webp_lossless_bitstream_specification
import { type BitReader, createBitReader } from './webp-bits.js';
import { type PrefixCodes, readPrefixCodes } from './webp-prefix-codes.js';

/** The most groups of an image. The encoder of libwebp makes at most 2,600; a decoder needs up to 20 kB for each. */
export const mostCodeGroups = 3000;

const transform = { predictor: 0, colour: 1, subtractGreen: 2, colourIndexing: 3 };
/** If the largest group number exceeds this, libwebp renumbers the groups and holds only those that are used. */
const groupsHeldInAnyCase = 1000;

/**
 * Reads the transforms, and the image that selects a group for each block of pixels. The groups themselves follow it and are not read.
 * @param stream starts after the header with the signature and the size.
 * @throws RangeError if the stream ends early or has an invalid prefix code.
 */
export function countCodeGroups(stream: Buffer, width: number, height: number): number {
  const bits = createBitReader(stream);
  const columns = skipTransforms(bits, width, height);
  readCacheBits(bits);
  if (bits.read(1) === 0) return 1;
  const blockBits = bits.read(3) + 2;
  const chosen = readImage(bits, blocksOf(columns, blockBits), blocksOf(height, blockBits));
  const groups = new Set<number>();
  let last = 0;
  for (const pixel of chosen) {
    const group = (pixel >>> 8) & 0xffff;
    groups.add(group);
    last = Math.max(last, group);
  }
  return last < groupsHeldInAnyCase ? last + 1 : groups.size;
}

/** @returns the width of the image after the transforms: a palette of few colours packs several pixels into one. */
function skipTransforms(bits: BitReader, width: number, height: number): number {
  let columns = width;
  while (bits.read(1) === 1) {
    const kind = bits.read(2);
    if (kind === transform.subtractGreen) continue;
    if (kind === transform.colourIndexing) {
      const colours = bits.read(8) + 1;
      readImage(bits, colours, 1);
      columns = blocksOf(columns, colours <= 2 ? 3 : colours <= 4 ? 2 : colours <= 16 ? 1 : 0);
    } else {
      const blockBits = bits.read(3) + 2;
      readImage(bits, blocksOf(columns, blockBits), blocksOf(height, blockBits));
    }
  }
  return columns;
}

function blocksOf(size: number, bits: number): number {
  return Math.ceil(size / 2 ** bits);
}

function readCacheBits(bits: BitReader): number {
  return bits.read(1) === 1 ? bits.read(4) : 0;
}

const [literals, lengthCodes] = [256, 24];

/** @returns the pixels, each with alpha, red, green and blue in one number. */
function readImage(bits: BitReader, width: number, height: number): Uint32Array {
  const cacheBits = readCacheBits(bits);
  const codes = readPrefixCodes(bits, cacheBits === 0 ? 0 : 2 ** cacheBits);
  const pixels = new Uint32Array(width * height);
  const cache = new Uint32Array(2 ** cacheBits);
  let cached = 0;
  for (let at = 0; at < pixels.length; ) {
    const symbol = codes.green(bits);
    if (symbol < literals) pixels[at++] = readLiteral(bits, symbol, codes);
    else if (symbol < literals + lengthCodes) {
      const length = readPrefixed(bits, symbol - literals);
      const distance = distanceOf(readPrefixed(bits, codes.distance(bits)), width);
      if (distance > at || at + length > pixels.length) throw new RangeError('a copy from outside the image');
      for (const end = at + length; at < end; at++) pixels[at] = pixels[at - distance] as number;
    } else {
      // The cache is filled only when it is read: first it receives all pixels before this one.
      for (; cached < at; cached++) cacheColour(cache, cacheBits, pixels[cached] as number);
      pixels[at++] = cache[symbol - literals - lengthCodes] as number;
    }
  }
  return pixels;
}

function readLiteral(bits: BitReader, green: number, codes: PrefixCodes): number {
  const red = codes.red(bits);
  const blue = codes.blue(bits);
  return ((codes.alpha(bits) << 24) | (red << 16) | (green << 8) | blue) >>> 0;
}

function cacheColour(cache: Uint32Array, cacheBits: number, colour: number): void {
  cache[Math.imul(0x1e35a7bd, colour) >>> (32 - cacheBits)] = colour;
}

/** Reads a length or a distance: its prefix states how many extra bits follow. */
function readPrefixed(bits: BitReader, prefix: number): number {
  if (prefix < 4) return prefix + 1;
  const more = (prefix - 2) >> 1;
  return ((2 + (prefix & 1)) << more) + bits.read(more) + 1;
}

/** The first 120 distance codes are places near the pixel: to its left, or in the seven rows above it. */
function distanceOf(code: number, width: number): number {
  const near = nearby[code - 1];
  return near ? Math.max(1, near.across + near.up * width) : code - nearby.length;
}

/** The table of the specification: the nearest place first. At the same distance, higher rows come first, then right before left. */
const nearby = Array.from({ length: 8 * 16 }, (_, i) => ({ up: i >> 4, across: (i & 15) - 7 }))
  .filter(({ up, across }) => up > 0 || across > 0)
  .sort(
    (a, b) => squareOf(a) - squareOf(b) || Math.abs(a.across) - Math.abs(b.across) || b.across - a.across,
  );

function squareOf({ up, across }: { up: number; across: number }): number {
  return up * up + across * across;
}
