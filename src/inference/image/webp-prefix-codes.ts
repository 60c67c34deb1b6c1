// the bits of a group of five prefix codes → five codes, each of which reads one symbol.
import type { BitReader } from './webp-bits.js';

/** @throws RangeError past the end of the stream. */
type PrefixCode = (bits: BitReader) => number;

/** The code of green also has symbols for the lengths of copies and for indices of the colour cache. */
export interface PrefixCodes {
  green: PrefixCode;
  red: PrefixCode;
  blue: PrefixCode;
  alpha: PrefixCode;
  distance: PrefixCode;
}

/** @throws RangeError if the stream ends early, or the lengths form no complete code. */
export function readPrefixCodes(bits: BitReader, cacheSize: number): PrefixCodes {
  const green = readPrefixCode(bits, 256 + 24 + cacheSize);
  const red = readPrefixCode(bits, 256);
  const blue = readPrefixCode(bits, 256);
  const alpha = readPrefixCode(bits, 256);
  return { green, red, blue, alpha, distance: readPrefixCode(bits, 40) };
}

function readPrefixCode(bits: BitReader, symbols: number): PrefixCode {
  return createPrefixCode(bits.read(1) === 1 ? readSimpleLengths(bits, symbols) : readLengths(bits, symbols));
}

/** A simple code: it contains its one or two symbols as plain numbers. */
function readSimpleLengths(bits: BitReader, symbols: number): Uint8Array {
  const lengths = new Uint8Array(Math.max(symbols, 256));
  const two = bits.read(1) === 1;
  lengths[bits.read(bits.read(1) === 1 ? 8 : 1)] = 1;
  if (two) lengths[bits.read(8)] = 1;
  return lengths;
}

const order = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
/** Symbols above 15 repeat a length: the last one, or zero. */
const repeats: Record<number, { bits: number; least: number; zero: boolean }> = {
  16: { bits: 2, least: 3, zero: false },
  17: { bits: 3, least: 3, zero: true },
  18: { bits: 7, least: 11, zero: true },
};
const firstLastLength = 8;

/** The lengths of the codes are prefix-coded themselves. */
function readLengths(bits: BitReader, symbols: number): Uint8Array {
  const ofLengths = new Uint8Array(order.length);
  const given = 4 + bits.read(4);
  for (const symbol of order.slice(0, given)) ofLengths[symbol] = bits.read(3);
  const code = createPrefixCode(ofLengths);
  let left = bits.read(1) === 0 ? symbols : 2 + bits.read(2 + 2 * bits.read(3));
  if (left > symbols) throw new RangeError('more code lengths than symbols');
  const lengths = new Uint8Array(symbols);
  let last = firstLastLength;
  for (let at = 0; at < symbols && left > 0; left--) {
    const symbol = code(bits);
    const repeat = repeats[symbol];
    if (!repeat) {
      lengths[at++] = symbol;
      if (symbol !== 0) last = symbol;
      continue;
    }
    const count = repeat.least + bits.read(repeat.bits);
    if (at + count > symbols) throw new RangeError('more code lengths than symbols');
    if (!repeat.zero) lengths.fill(last, at, at + count);
    at += count;
  }
  return lengths;
}

const longest = 15;

/**
 * The canonical code with these lengths, as in DEFLATE (RFC 1951, 3.2.2): codes of the same length are successive numbers, in the
 * order of their symbols. A code with a single symbol takes no bits.
 */
function createPrefixCode(lengths: Uint8Array): PrefixCode {
  const counts = new Uint32Array(longest + 1);
  for (const length of lengths) if (length > 0) counts[length] = (counts[length] ?? 0) + 1;
  const symbols = [...lengths.keys()].filter((symbol) => lengths[symbol] !== 0);
  symbols.sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b);
  const [only] = symbols;
  if (only === undefined) return () => 0;
  if (symbols.length === 1) return () => only;
  if (!isComplete(counts)) throw new RangeError('lengths that make no prefix code');
  return (bits) => {
    let [code, first, index] = [0, 0, 0];
    for (let length = 1; length <= longest; length++) {
      code |= bits.read(1);
      const count = counts[length] as number;
      if (code - first < count) return symbols[index + code - first] as number;
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    throw new RangeError('a code that no symbol has');
  };
}

/** Whether every sequence of bits begins with a code (Kraft's equality). */
function isComplete(counts: Uint32Array): boolean {
  let free = 1;
  for (let length = 1; length <= longest; length++) free = 2 * free - (counts[length] as number);
  return free === 0;
}
