// a GIF → its header. https://www.w3.org/Graphics/GIF/spec-gif89a.txt
import type { HeaderProblem, ImageHeader } from './header-types.js';

/** Measured: libnsgif holds 4 bytes for each pixel of the canvas, and 80 bytes for each frame. */
const [pixelBytes, frameBytes] = [4, 80];

/** If the first frame is larger than the canvas, the canvas grows to its size, as in libnsgif. */
export function readGif(file: Buffer): ImageHeader | HeaderProblem {
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
  return {
    kind: 'gif',
    width,
    height,
    channels: 4,
    sampleBytes: 1,
    buffered: true,
    heldBytes: pixelBytes * width * height + frameBytes * frames,
    passes: frames,
    scanBlocks: 0,
    parts,
    keptParts: 0,
  };
}

function colourTableBytes(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}

function endOfBlocks(file: Buffer, from: number): number {
  let at = from;
  for (let length = file[at] ?? 0; length > 0; length = file[at] ?? 0) at += 1 + length;
  return at + 1;
}
