// An image that the decoder refused → what is wrong with it. The texts of libvips are no source: the process has one buffer for them, in
// which threads that fail at the same time find each other's.
import { crc32 } from 'node:zlib';
import { findJpegDamage } from './jpeg-scans.js';
import type { ImageKind } from './kinds.js';

/**
 * @param deadline on the clock of clock.ts
 * @returns undefined if the file itself shows no damage. Only of a JPEG does that mean that all of its data is there.
 */
export function findDamage(file: Buffer, kind: ImageKind, deadline: number): string | undefined {
  if (kind === 'jpeg') return findJpegDamage(file, deadline);
  if (kind === 'png') return findPngDamage(file);
  if (kind === 'webp') return findWebpDamage(file);
  return undefined;
}

function findPngDamage(file: Buffer): string | undefined {
  for (let at = 8; at + 12 <= file.length; ) {
    const end = at + 8 + file.readUInt32BE(at);
    const type = file.toString('latin1', at + 4, at + 8).replace(/[^A-Za-z]/g, '?');
    if (end + 4 > file.length) return `it ends inside the chunk ${type} at byte ${at}`;
    if (crc32(file.subarray(at + 4, end)) !== file.readUInt32BE(end))
      return `the checksum of the chunk ${type} at byte ${at} is wrong`;
    if (type === 'IEND') return undefined;
    at = end + 4;
  }
  return 'it ends without the chunk IEND';
}

function findWebpDamage(file: Buffer): string | undefined {
  const announced = file.readUInt32LE(4) + 8;
  return announced > file.length ? `it has ${file.length} bytes and announces ${announced}` : undefined;
}
