// a PNG → its header. https://www.w3.org/TR/png-3/#5Chunk-layout: length, type, data, checksum.
import type { HeaderProblem, ImageHeader } from './header-types.js';

const channelsOf: Record<number, number> = { 0: 1, 2: 3, 3: 3, 4: 2, 6: 4 };
const texts = new Set(['tEXt', 'zTXt', 'iTXt']);
/** Chunks whose data may be compressed. libpng unpacks up to 8 MB of each, one at a time. */
const compressed = new Set(['zTXt', 'iTXt', 'iCCP']);
const mostUnpackedBytes = 8e6;
/** The most bytes that one byte of deflate can inflate to. */
const deflateRatio = 1032;
/** Measured: 300 bytes for each text, and 30 MB for texts of 8 MB each. */
const [textBytes, unpackedCopies] = [300, 4];

export function readPng(file: Buffer): ImageHeader | HeaderProblem {
  const [width, height] = [file.readUInt32BE(16), file.readUInt32BE(20)];
  const [depth, colour, interlace] = [file.readUInt8(24), file.readUInt8(25), file.readUInt8(28)];
  const channels = channelsOf[colour];
  if (file.toString('latin1', 12, 16) !== 'IHDR' || channels === undefined || width === 0 || height === 0)
    return { damaged: 'the png header makes no sense' };
  const { parts, keptParts, unpackedBytes, isTransparent } = walk(file);
  const samples = channels + (isTransparent && colour !== 6 ? 1 : 0);
  const sampleBytes = depth > 8 ? 2 : 1;
  const whole = interlace === 0 ? 0 : width * height * samples * sampleBytes;
  return {
    kind: 'png',
    width,
    height,
    channels: samples,
    sampleBytes,
    buffered: interlace !== 0,
    heldBytes: whole + textBytes * keptParts + unpackedCopies * unpackedBytes,
    passes: 1,
    scanBlocks: 0,
    parts,
    keptParts,
  };
}

function walk(file: Buffer) {
  const found = { parts: 0, keptParts: 0, unpackedBytes: 0, isTransparent: false };
  for (let at = 8; at + 8 <= file.length; ) {
    const length = file.readUInt32BE(at);
    const type = file.toString('latin1', at + 4, at + 8);
    found.parts++;
    if (texts.has(type)) found.keptParts++;
    if (compressed.has(type))
      found.unpackedBytes = Math.max(found.unpackedBytes, Math.min(length * deflateRatio, mostUnpackedBytes));
    if (type === 'tRNS') found.isTransparent = true;
    at += 12 + length;
  }
  return found;
}
