// The header of an image → an upper bound of the memory for decoding it, or a refusal.
import { TooComplexError, TooManyPixelsError, UndecodableImageError } from '../errors.js';
import { readHeader } from './header.js';
import type { ImageHeader } from './header-types.js';

/** Pixels of an uploaded image: width times height. */
export const defaultMaxPixels = 25_000_000;

export interface AdmissionLimits {
  /** Width times height. */
  maxPixels: number;
  /** Bytes that decoding one image may take; default: no limit. */
  maxDecodeBytes?: number | undefined;
}

/** Rows are decoded whole, so memory grows with the width. JPEG and GIF cannot have longer sides. */
const maxSide = 65_535;
/** One block takes 25 to 40 ns. The ten scans that libjpeg writes by default have 12 million blocks at 25 megapixels. */
const maxScanBlocks = 50_000_000;
/** A colour profile has at most 255 segments. */
const maxKeptParts = 1000;
/** libwebp searches the whole file for each frame: 5,000 frames take 0.2 s, 50,000 take 17 s. */
const maxFrames = 5000;

/**
 * Reads the header of an upload and decodes nothing.
 * @returns an upper bound of the bytes that decoding takes.
 * @throws EmptyImageError, UnsupportedTypeError, UndecodableImageError, TooManyPixelsError, TooComplexError
 */
export function admitImage(
  bytes: Uint8Array,
  { maxPixels, maxDecodeBytes = Infinity }: AdmissionLimits,
): number {
  const header = readHeader(bytes);
  if ('damaged' in header) throw new UndecodableImageError(`The image can't be decoded: ${header.damaged}`);
  checkSize(header, maxPixels);
  checkWork(header);
  const cost = decodingBytes(header);
  if (cost > maxDecodeBytes)
    throw new TooComplexError(
      `Decoding the ${header.kind} image would take ${megabytes(cost)} MB, allowed are ${megabytes(maxDecodeBytes)}: send a smaller one, or one that is not ${wayOf(header)}`,
    );
  return cost;
}

function checkSize({ width, height }: ImageHeader, maxPixels: number): void {
  const size = `${width} x ${height} = ${width * height}`;
  if (width * height > maxPixels)
    throw new TooManyPixelsError(`The image has ${size} pixels, allowed are ${maxPixels}`);
  if (Math.max(width, height) > maxSide)
    throw new TooManyPixelsError(
      `The image has ${width} x ${height} pixels, a side may have ${maxSide} at most`,
    );
}

function checkWork({ kind, scanBlocks, keptParts, passes }: ImageHeader): void {
  const check = (count: number, most: number, what: string) => {
    if (count > most)
      throw new TooComplexError(`The ${kind} image has ${count} ${what}, allowed are ${most}`);
  };
  check(scanBlocks, maxScanBlocks, 'blocks in all its scans');
  check(keptParts, maxKeptParts, kind === 'png' ? 'texts' : 'application segments');
  if (kind === 'webp') check(passes, maxFrames, 'frames');
}

const [baseBytes, baseOfSmall, bytesOfSmall] = [8e6, 1e6, 20];
/** The fewest and the most rows that libvips holds while it resizes an image. */
const [stripRows, mostStripRows] = [420, 1800];

/** A measured upper bound: docs/decisions/decoding-memory.md. */
function decodingBytes({ width, height, channels, sampleBytes, heldBytes }: ImageHeader): number {
  const row = width * channels * sampleBytes;
  const base = Math.min(baseBytes, baseOfSmall + bytesOfSmall * row * height);
  return base + row * Math.min(height + stripRows, mostStripRows) + heldBytes;
}

function wayOf({ kind, sampleBytes, buffered }: ImageHeader): string {
  if (kind === 'jpeg' && buffered) return 'progressive';
  if (kind === 'png' && buffered) return 'interlaced';
  return sampleBytes === 2 ? 'of 16 bits' : `a ${kind}`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
