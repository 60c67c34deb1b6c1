// A WebP → its losslessly coded parts, held against the limit of groups of prefix codes.
import { TooComplexError, UndecodableImageError } from '../errors.js';
import { countCodeGroups, mostCodeGroups } from './webp-codes.js';

interface CodedStream {
  bits: Buffer;
  width: number;
  height: number;
}

/** The bytes before the stream: of a lossless image signature and size, of alpha the way it is packed. */
const [imageHeader, alphaHeader, frameHeader] = [5, 1, 16];

/**
 * Only the first frame of an animation is decoded.
 * @throws TooComplexError if a decoder would build more than 3,000 groups, which take up to 20 kB each.
 * @throws UndecodableImageError if the codes make no sense.
 */
export function checkCodeGroups(bytes: Uint8Array): void {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const { bits, width, height } of codedStreams(file, 12, { width: 0, height: 0 })) {
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

/** @param canvas the size of an alpha channel, which does not name its own. */
function codedStreams(file: Buffer, from: number, canvas: { width: number; height: number }): CodedStream[] {
  const found: CodedStream[] = [];
  let size = canvas;
  for (let at = from; at + 8 <= file.length; ) {
    const type = file.toString('latin1', at, at + 4);
    const length = file.readUInt32LE(at + 4);
    const data = file.subarray(at + 8, at + 8 + length);
    if (type === 'VP8X' && data.length >= 10)
      size = { width: data.readUIntLE(4, 3) + 1, height: data.readUIntLE(7, 3) + 1 };
    if (type === 'VP8L' && data.length >= imageHeader) {
      const packed = data.readUInt32LE(1);
      const [width, height] = [(packed & 0x3fff) + 1, ((packed >>> 14) & 0x3fff) + 1];
      found.push({ bits: data.subarray(imageHeader), width, height });
    }
    if (type === 'ALPH' && ((data[0] ?? 0) & 3) === 1)
      found.push({ bits: data.subarray(alphaHeader), ...size });
    if (type === 'ANMF' && data.length >= frameHeader) {
      const frame = { width: data.readUIntLE(6, 3) + 1, height: data.readUIntLE(9, 3) + 1 };
      return codedStreams(data, frameHeader, frame);
    }
    at += 8 + length + (length % 2);
  }
  return found;
}
