// a WebP → its chunks, and the sizes that they state. https://developers.google.com/speed/webp/docs/riff_container

export interface WebpChunk {
  type: string;
  /** The offset of its data. */
  at: number;
  length: number;
}

export interface Size {
  width: number;
  height: number;
}

/** The first chunk of a file comes after 12 bytes. @param from the offset of the first chunk. */
export function* webpChunks(file: Buffer, from = 12): Generator<WebpChunk> {
  for (let at = from; at + 8 <= file.length; ) {
    const length = file.readUInt32LE(at + 4);
    yield { type: file.toString('latin1', at, at + 4), at: at + 8, length };
    at += 8 + length + (length % 2);
  }
}

/** Reads the size in VP8X or ANMF: width - 1 and height - 1, in 24 bits each. @throws RangeError past the end. */
export function readSize24(file: Buffer, at: number): Size {
  return { width: file.readUIntLE(at, 3) + 1, height: file.readUIntLE(at + 3, 3) + 1 };
}

/** Reads the size in VP8L. @param at the offset of its data. @throws RangeError past the end. */
export function readLosslessSize(file: Buffer, at: number): Size {
  const bits = file.readUInt32LE(at + 1);
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
}
