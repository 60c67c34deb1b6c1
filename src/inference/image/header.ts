// the bytes of a PNG, JPEG, WebP or GIF → the facts in its header about the work and the memory of decoding.
import { readGif } from './header-gif.js';
import { readJpeg } from './header-jpeg.js';
import { readPng } from './header-png.js';
import type { HeaderProblem, ImageHeader } from './header-types.js';
import { readWebp } from './header-webp.js';
import { acceptedKind, type ImageKind } from './kinds.js';

/**
 * Reads no pixels. It goes from part to part of the file by their lengths, so its time grows with the number of parts. In a JPEG
 * with several scans it grows with the bytes.
 * @throws EmptyImageError, UnsupportedTypeError
 */
export function readHeader(bytes: Uint8Array): ImageHeader | HeaderProblem {
  const kind = acceptedKind(bytes);
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  try {
    return readers[kind](file);
  } catch (error) {
    // The read methods of Buffer throw a RangeError past the end.
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
