// the bytes of a PNG, JPEG, WebP or GIF → what its header says of the work and the memory that decoding will take.
import { readGif } from './header-gif.js';
import { readJpeg } from './header-jpeg.js';
import { readPng } from './header-png.js';
import type { HeaderProblem, ImageHeader } from './header-types.js';
import { readWebp } from './header-webp.js';
import { acceptedKind, type ImageKind } from './kinds.js';

/**
 * Reads no pixel and walks the parts of a file by their lengths: its time grows with the number of parts and, in a JPEG that has
 * several scans, with its bytes.
 * @throws EmptyImageError, UnsupportedTypeError
 */
export function readHeader(bytes: Uint8Array): ImageHeader | HeaderProblem {
  const kind = acceptedKind(bytes);
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  try {
    return readers[kind](file);
  } catch (error) {
    // Buffer's reads throw a RangeError past the end.
    if (error instanceof RangeError) return { damaged: `the ${kind} header ends early` };
    throw error;
  }
}

const readers: Record<ImageKind, (file: Buffer) => ImageHeader | HeaderProblem> = {
  png: readPng,
  jpeg: readJpeg,
  webp: readWebp,
  gif: readGif,
};
