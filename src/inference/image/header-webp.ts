// A WebP → its header. https://developers.google.com/speed/webp/docs/riff_container
import type { HeaderProblem, ImageHeader } from './header-types.js';
import { mostCodeGroups } from './webp-codes.js';

/** Measured, in bytes per pixel: a lossless image is held whole, the alpha of a lossy one too, an animation's canvas twice. */
const held = { lossless: 4, alpha: 1.3, canvas: 8 };
const frameBytes = 200;
/** libwebp's tables of one group of prefix codes, with a colour cache of 11 bits. */
const groupBytes = 20_000;

interface Walk {
  size?: { width: number; height: number; channels: number };
  parts: number;
  frames: number;
  lossless: boolean;
  alpha: boolean;
}

export function readWebp(file: Buffer): ImageHeader | HeaderProblem {
  const { size, parts, frames, lossless, alpha } = walk(file);
  if (!size) return { damaged: 'the webp header has no image' };
  const pixels = size.width * size.height;
  const perPixel = (lossless ? held.lossless : 0) + (alpha ? held.alpha : 0) + (frames > 0 ? held.canvas : 0);
  return {
    kind: 'webp',
    ...size,
    sampleBytes: 1,
    buffered: true,
    heldBytes: perPixel * pixels + frameBytes * frames + (lossless ? codeBytes(size, file.length) : 0),
    passes: Math.max(1, frames),
    scanBlocks: 0,
    parts,
    keptParts: 0,
  };
}

/** A group of codes serves blocks of at least 4 x 4 pixels, and takes at least 2.5 bytes of the file. */
function codeBytes({ width, height }: { width: number; height: number }, bytes: number): number {
  const blocks = Math.ceil(width / 4) * Math.ceil(height / 4);
  return groupBytes * Math.min(mostCodeGroups, blocks, Math.ceil(bytes / 2.5));
}

function walk(file: Buffer): Walk {
  const walk: Walk = { parts: 0, frames: 0, lossless: false, alpha: false };
  for (let at = 12; at + 8 <= file.length; ) {
    const type = file.toString('latin1', at, at + 4);
    const length = file.readUInt32LE(at + 4);
    walk.parts++;
    if (type === 'ANMF') {
      walk.frames++;
      // The image of a frame lies in it, behind 16 bytes.
      const inner = file.toString('latin1', at + 24, at + 28);
      if (inner === 'VP8L') walk.lossless = true;
      if (inner === 'ALPH') walk.alpha = true;
    }
    if (type === 'VP8L') walk.lossless = true;
    if (type === 'ALPH') walk.alpha = true;
    const size = walk.size ?? sizeOf(file, type, at + 8);
    if (size) walk.size = size;
    at += 8 + length + (length % 2);
  }
  return walk;
}

function sizeOf(file: Buffer, type: string, at: number): Walk['size'] {
  if (type === 'VP8X')
    return { width: file.readUIntLE(at + 4, 3) + 1, height: file.readUIntLE(at + 7, 3) + 1, channels: 4 };
  if (type === 'VP8 ')
    return {
      width: file.readUInt16LE(at + 6) & 0x3fff,
      height: file.readUInt16LE(at + 8) & 0x3fff,
      channels: 3,
    };
  if (type !== 'VP8L') return undefined;
  const bits = file.readUInt32LE(at + 1);
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1, channels: 4 };
}
