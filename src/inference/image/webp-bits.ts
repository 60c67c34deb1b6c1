// the bytes of a lossless WebP → its bits, the lowest bit of each byte first.

export interface BitReader {
  /** @param count 0 to 24. @throws RangeError past the end. */
  read(count: number): number;
}

export function createBitReader(bytes: Uint8Array): BitReader {
  let at = 0;
  return {
    read(count) {
      if (at + count > 8 * bytes.length) throw new RangeError('the stream ends early');
      let value = 0;
      for (let got = 0; got < count; ) {
        const offset = at & 7;
        const take = Math.min(8 - offset, count - got);
        value |= (((bytes[at >> 3] as number) >> offset) & ((1 << take) - 1)) << got;
        got += take;
        at += take;
      }
      return value;
    },
  };
}
