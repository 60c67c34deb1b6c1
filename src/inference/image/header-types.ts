// The facts in the header of an image, in the same terms for all kinds.
import type { ImageKind } from './kinds.js';

/** A decoder knows these facts before it decodes a pixel. They are read from the file without decoding. */
export interface ImageHeader {
  kind: ImageKind;
  /** In pixels, before any rotation; for an animation its canvas. */
  width: number;
  height: number;
  /** Samples of a decoded pixel: 1 gray, 2 gray and alpha, 3 colour, 4 colour and alpha (or CMYK). */
  channels: number;
  /** The bytes of a decoded sample: 1 for up to 8 bits, 2 for more. */
  sampleBytes: 1 | 2;
  /** Whether the decoder holds the whole image before it gives the first row: interlaced, progressive, WebP, GIF. */
  buffered: boolean;
  /** Bytes that the decoder holds besides the rows it works on: whole images, coefficients, tables, metadata. An upper bound. */
  heldBytes: number;
  /** Passes over the image: the scans of a progressive JPEG, the frames of an animation; else 1. */
  passes: number;
  /** Blocks of 8 x 8 samples that all scans of a JPEG visit together; 0 for other kinds. */
  scanBlocks: number;
  /** JPEG segments, PNG chunks, WebP chunks, GIF blocks. */
  parts: number;
  /** Those of them that the decoder keeps: the application segments of a JPEG, the texts of a PNG. */
  keptParts: number;
}

/** A header that ends early or contradicts itself. The decoder would fail, too. */
export interface HeaderProblem {
  damaged: string;
}
