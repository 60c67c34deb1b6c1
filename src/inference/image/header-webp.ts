// a WebP → its header. https://developers.google.com/speed/webp/docs/riff_container
import type { HeaderProblem, ImageHeader } from './header-types.js';
import { readLosslessSize, readSize24, type Size, webpChunks } from './webp-chunks.js';
import { mostCodeGroups } from './webp-codes.js';

/** Measured, in bytes per pixel: a decoder holds a whole lossless image, the whole alpha of a lossy one, and the canvas of an animation twice. */
const held = { lossless: 4, alpha: 1.3, canvas: 8 };
const frameBytes = 200;
/** libwebp's tables of one group of prefix codes, with a colour cache of 11 bits. */
const groupBytes = 20_000;

interface Walk {
  size?: Size & { channels: number };
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

/** A group of codes belongs to blocks of at least 4 x 4 pixels, and takes at least 2.5 bytes of the file. */
function codeBytes({ width, height }: Size, bytes: number): number {
  const blocks = Math.ceil(width / 4) * Math.ceil(height / 4);
  return groupBytes * Math.min(mostCodeGroups, blocks, Math.ceil(bytes / 2.5));
}

function walk(file: Buffer): Walk {
  const walk: Walk = { parts: 0, frames: 0, lossless: false, alpha: false };
  for (const { type, at } of webpChunks(file)) {
    walk.parts++;
    if (type === 'ANMF') {
      walk.frames++;
      // The chunks of a frame follow the first 16 bytes of ANMF.
      const inner = file.toString('latin1', at + 16, at + 20);
      if (inner === 'VP8L') walk.lossless = true;
      if (inner === 'ALPH') walk.alpha = true;
    }
    if (type === 'VP8L') walk.lossless = true;
    if (type === 'ALPH') walk.alpha = true;
    const size = walk.size ?? sizeOf(file, type, at);
    if (size) walk.size = size;
  }
  return walk;
}

function sizeOf(file: Buffer, type: string, at: number): Walk['size'] {
  if (type === 'VP8X') return { ...readSize24(file, at + 4), channels: 4 };
  if (type === 'VP8L') return { ...readLosslessSize(file, at), channels: 4 };
  if (type !== 'VP8 ') return undefined;
  const [width, height] = [file.readUInt16LE(at + 6), file.readUInt16LE(at + 8)];
  return { width: width & 0x3fff, height: height & 0x3fff, channels: 3 };
}
