// the bytes of a PNG, JPEG, WebP or GIF → what its header says of the work and the memory that decoding will take.
import { acceptedKind, type ImageKind } from './kinds.js';

/** What a decoder learns before it touches a pixel. Counted from the file alone, without decoding. */
export interface ImageHeader {
  kind: ImageKind;
  /** In pixels, before any rotation; for an animation its canvas. */
  width: number;
  height: number;
  /** Samples of a pixel as the file has them: 1 gray, 2 gray and alpha, 3 colour, 4 colour and alpha (or CMYK). */
  channels: number;
  /** Of a sample: 1 up to 8 bits, 2 above. */
  sampleBytes: 1 | 2;
  /** Whether the decoder holds the whole image before it gives the first row: interlaced, progressive, WebP, GIF. */
  buffered: boolean;
  /** Passes over the image: the scans of a progressive JPEG, the frames of an animation; else 1. */
  passes: number;
  /** JPEG segments, PNG chunks, WebP chunks, GIF blocks. */
  parts: number;
}

/** A header that ends early or contradicts itself. The decoder would fail, too. */
export type HeaderProblem = { damaged: string };

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

const pngChannels: Record<number, number> = { 0: 1, 2: 3, 3: 3, 4: 2, 6: 4 };

/** https://www.w3.org/TR/png-3/#5Chunk-layout: length, type, data, checksum. */
function readPng(file: Buffer): ImageHeader | HeaderProblem {
  const [width, height] = [file.readUInt32BE(16), file.readUInt32BE(20)];
  const [depth, colour, interlace] = [file.readUInt8(24), file.readUInt8(25), file.readUInt8(28)];
  const channels = pngChannels[colour];
  if (file.toString('latin1', 12, 16) !== 'IHDR' || channels === undefined || width === 0 || height === 0)
    return { damaged: 'the png header makes no sense' };
  let parts = 0;
  for (let at = 8; at + 8 <= file.length; at += 12 + file.readUInt32BE(at)) parts++;
  return {
    kind: 'png',
    width,
    height,
    channels,
    sampleBytes: depth > 8 ? 2 : 1,
    buffered: interlace !== 0,
    passes: 1,
    parts,
  };
}

const marker = { sos: 0xda, eoi: 0xd9 };
/** Start of frame, but for DHT (C4), JPG (C8) and DAC (CC). */
const isFrame = (code: number) => code >= 0xc0 && code <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(code);
const isProgressive = (code: number) => [0xc2, 0xc6, 0xca, 0xce].includes(code);

/** https://www.w3.org/Graphics/JPEG/itu-t81.pdf, annex B: markers, each but a few followed by a length. */
function readJpeg(file: Buffer): ImageHeader | HeaderProblem {
  let header: ImageHeader | undefined;
  let parts = 0;
  let scans = 0;
  for (let at = 2; at + 1 < file.length; ) {
    const code = file.readUInt8(at + 1);
    if (file.readUInt8(at) !== 0xff || code === 0xff || isBare(code)) {
      at++;
      continue;
    }
    if (code === marker.eoi) break;
    if (at + 4 > file.length) break;
    const next = at + 2 + file.readUInt16BE(at + 2);
    parts++;
    if (isFrame(code)) header = jpegFrame(file, at, code);
    if (code !== marker.sos) {
      at = next;
      continue;
    }
    scans++;
    // A scan of all components at once, not progressive, is decoded row by row: the first is the last that counts.
    const single = scans === 1 && header && !header.buffered && file.readUInt8(at + 4) >= header.channels;
    if (!header || single) break;
    header.buffered = true;
    at = endOfScan(file, next);
  }
  if (!header || scans === 0) return { damaged: 'the jpeg header has no frame or no scan' };
  return { ...header, passes: scans, parts };
}

/** Markers without a length: TEM, RST0…7, SOI, and the 00 of a stuffed byte. */
function isBare(code: number): boolean {
  return code <= 1 || (code >= 0xd0 && code <= 0xd8);
}

function jpegFrame(file: Buffer, at: number, code: number): ImageHeader {
  return {
    kind: 'jpeg',
    width: file.readUInt16BE(at + 7),
    height: file.readUInt16BE(at + 5),
    channels: file.readUInt8(at + 9),
    sampleBytes: file.readUInt8(at + 4) > 8 ? 2 : 1,
    buffered: isProgressive(code),
    passes: 1,
    parts: 0,
  };
}

function endOfScan(file: Buffer, from: number): number {
  for (let at = file.indexOf(0xff, from); at >= 0 && at + 1 < file.length; at = file.indexOf(0xff, at + 1))
    if (file[at + 1] !== 0xff && !isBare(file[at + 1] ?? 0)) return at;
  return file.length;
}

/** https://developers.google.com/speed/webp/docs/riff_container */
function readWebp(file: Buffer): ImageHeader | HeaderProblem {
  let header: ImageHeader | undefined;
  let parts = 0;
  let frames = 0;
  for (let at = 12; at + 8 <= file.length; ) {
    const type = file.toString('latin1', at, at + 4);
    const length = file.readUInt32LE(at + 4);
    parts++;
    if (type === 'ANMF') frames++;
    header ??= webpFrame(file, type, at + 8);
    at += 8 + length + (length % 2);
  }
  if (!header) return { damaged: 'the webp header has no image' };
  return { ...header, passes: Math.max(1, frames), parts };
}

function webpFrame(file: Buffer, type: string, at: number): ImageHeader | undefined {
  const shared = { kind: 'webp', sampleBytes: 1, buffered: true, passes: 1, parts: 0 } as const;
  if (type === 'VP8X')
    return {
      ...shared,
      width: file.readUIntLE(at + 4, 3) + 1,
      height: file.readUIntLE(at + 7, 3) + 1,
      channels: 4,
    };
  if (type === 'VP8 ')
    return {
      ...shared,
      width: file.readUInt16LE(at + 6) & 0x3fff,
      height: file.readUInt16LE(at + 8) & 0x3fff,
      channels: 3,
    };
  if (type !== 'VP8L') return undefined;
  const bits = file.readUInt32LE(at + 1);
  return { ...shared, width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1, channels: 4 };
}

/** https://www.w3.org/Graphics/GIF/spec-gif89a.txt. The canvas grows to the first frame, as in libnsgif. */
function readGif(file: Buffer): ImageHeader | HeaderProblem {
  let [width, height] = [file.readUInt16LE(6), file.readUInt16LE(8)];
  let parts = 0;
  let frames = 0;
  let at = 13 + colourTableBytes(file.readUInt8(10));
  while (at < file.length) {
    const type = file[at];
    parts++;
    if (type === 0x21) at = endOfBlocks(file, at + 2);
    else if (type === 0x2c && at + 10 <= file.length) {
      if (frames++ === 0) {
        width = Math.max(width, file.readUInt16LE(at + 1) + file.readUInt16LE(at + 5));
        height = Math.max(height, file.readUInt16LE(at + 3) + file.readUInt16LE(at + 7));
      }
      at = endOfBlocks(file, at + 11 + colourTableBytes(file.readUInt8(at + 9)));
    } else break;
  }
  if (frames === 0 || width === 0 || height === 0) return { damaged: 'the gif header has no image' };
  return { kind: 'gif', width, height, channels: 4, sampleBytes: 1, buffered: true, passes: frames, parts };
}

function colourTableBytes(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}

function endOfBlocks(file: Buffer, from: number): number {
  let at = from;
  for (let length = file[at] ?? 0; length > 0; length = file[at] ?? 0) at += 1 + length;
  return at + 1;
}
