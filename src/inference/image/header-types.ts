// the type of a header: the same facts for every image format.
import type { ImageKind } from './kinds.js';

/** A decoder knows these facts before it decodes a pixel. They are read from the file without decoding. */
export interface ImageHeader {
  kind: ImageKind;
  /** In pixels, before any rotation; the canvas of an animation. */
  width: number;
  height: number;
  /** Samples of a decoded pixel: 1 gray, 2 gray and alpha, 3 colour, 4 colour and alpha (or CMYK). */
  channels: number;
  /** Bytes per decoded sample: 1 for up to 8 bits, 2 for more. */
  sampleBytes: 1 | 2;
  /** Whether the decoder holds the whole image before it returns the first row: interlaced, progressive, WebP, GIF. */
  buffered: boolean;
  /** An upper bound of the bytes that the decoder holds besides its current rows: whole images, coefficients, tables, metadata. */
  heldBytes: number;
  /** Passes over the image: the scans of a progressive JPEG, the frames of an animation; else 1. */
  passes: number;
  /** Blocks of 8 x 8 samples, summed over all scans of a JPEG; 0 for other formats. */
  scanBlocks: number;
  /** The number of JPEG segments, PNG chunks, WebP chunks or GIF blocks. */
  parts: number;
  /** The number of parts that the decoder keeps: the application segments of a JPEG, the texts of a PNG. */
  keptParts: number;
}

/** A header ends early or contradicts itself. The decoder would fail too. */
export interface HeaderProblem {
  damaged: string;
}
