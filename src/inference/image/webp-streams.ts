// a WebP → its losslessly coded parts, checked against the limit of groups of prefix codes.
import { TooComplexError, UndecodableImageError } from '../errors.js';
import { readLosslessSize, readSize24, type Size, webpChunks } from './webp-chunks.js';
import { countCodeGroups, mostCodeGroups } from './webp-codes.js';

interface CodedStream extends Size {
  bits: Buffer;
}

/** The bytes before the stream: signature and size of a lossless image, and the method of packing of an alpha channel. */
const [imageHeader, alphaHeader, frameHeader] = [5, 1, 16];

/**
 * Checks the first frame only, because no other frame of an animation is decoded.
 * @throws TooComplexError if a decoder would build more than 3,000 groups, which take up to 20 kB each.
 * @throws UndecodableImageError if the codes are invalid.
 */
export function checkCodeGroups(bytes: Uint8Array): void {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const { bits, width, height } of codedStreams(file)) {
    const groups = countOf(bits, width, height);
    if (groups > mostCodeGroups)
      throw new TooComplexError(
        `The webp image has ${groups} groups of prefix codes, allowed are ${mostCodeGroups}`,
      );
  }
}

function countOf(bits: Buffer, width: number, height: number): number {
  try {
    return countCodeGroups(bits, width, height);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new UndecodableImageError(`The webp image can't be decoded: ${cause.message}`, { cause });
  }
}

/** @param canvas the size of an alpha channel, whose chunk does not state one. */
function codedStreams(file: Buffer, from?: number, canvas: Size = { width: 0, height: 0 }): CodedStream[] {
  const found: CodedStream[] = [];
  let size = canvas;
  for (const { type, at, length } of webpChunks(file, from)) {
    const data = file.subarray(at, at + length);
    if (type === 'VP8X' && data.length >= 10) size = readSize24(data, 4);
    if (type === 'VP8L' && data.length >= imageHeader)
      found.push({ bits: data.subarray(imageHeader), ...readLosslessSize(data, 0) });
    if (type === 'ALPH' && ((data[0] ?? 0) & 3) === 1)
      found.push({ bits: data.subarray(alphaHeader), ...size });
    if (type === 'ANMF' && data.length >= frameHeader)
      return codedStreams(data, frameHeader, readSize24(data, 6));
  }
  return found;
}
