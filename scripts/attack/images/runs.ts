// Patterns and their repetitions → a zlib stream. The needed memory does not grow with the inflated size.
import { constants, deflateRawSync } from 'node:zlib';

export interface Run {
  pattern: Buffer;
  times: number;
}

interface Sums {
  low: number;
  high: number;
  length: number;
}

const [zlibHeader, emptyLastBlock] = [Buffer.from([0x78, 0x9c]), Buffer.from([0x03, 0])];
/** The bytes of a run that are compressed once. The compressed result is repeated. */
const unitLength = 2 ** 18;
const modulus = 65521;
const nothing: Sums = { low: 1, high: 0, length: 0 };

/** @throws RangeError for a pattern without bytes. */
export function zlibOfRuns(runs: readonly Run[]): Buffer {
  const parts: Buffer[] = [zlibHeader];
  let sums = nothing;
  for (const { pattern, times } of runs) {
    if (pattern.length === 0) throw new RangeError('A pattern has no bytes');
    const perUnit = Math.min(times, Math.max(1, Math.floor(unitLength / pattern.length)));
    if (perUnit === 0) continue;
    for (const [patterns, count] of [
      [perUnit, Math.floor(times / perUnit)],
      [times % perUnit, 1],
    ] as const) {
      if (patterns === 0) continue;
      const unit = Buffer.alloc(patterns * pattern.length, pattern);
      const packed = packOnItsOwn(unit);
      const unitSums = adler32(unit);
      for (let i = 0; i < count; i++) {
        parts.push(packed);
        sums = combine(sums, unitSums);
      }
    }
  }
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(sums.high * 2 ** 16 + sums.low);
  return Buffer.concat([...parts, emptyLastBlock, checksum]);
}

/** Compresses to blocks that end at a byte and refer to no earlier data (RFC 1951). */
function packOnItsOwn(bytes: Buffer): Buffer {
  return deflateRawSync(bytes, { level: 9, finishFlush: constants.Z_FULL_FLUSH });
}

/** RFC 1950: low = 1 + the sum of the bytes, high = the sum of all lows, both modulo 65521. */
function adler32(bytes: Buffer): Sums {
  let { low, high } = nothing;
  for (const byte of bytes) {
    low = (low + byte) % modulus;
    high = (high + low) % modulus;
  }
  return { low, high, length: bytes.length };
}

/** Combines the sums of two parts. Each low of the second part grows by the first part's low minus 1. */
function combine(first: Sums, second: Sums): Sums {
  const more = first.low - 1 + modulus;
  return {
    low: (more + second.low) % modulus,
    high: (first.high + second.high + (second.length % modulus) * (more % modulus)) % modulus,
    length: first.length + second.length,
  };
}
