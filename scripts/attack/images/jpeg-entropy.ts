// coefficients that are all zero but the first → the entropy-coded bytes of a JPEG's scan, with Huffman tables made for that.

export interface Scan {
  /** Indexes of the frame's components. */
  components: readonly number[];
  /** Coefficients 0…63 in zigzag order, and the bits: Ss, Se, Ah, Al of ITU-T T.81, B.2.3. */
  from: number;
  to: number;
  high: number;
  low: number;
}

/**
 * DC: no difference is the code 0, a difference of 1…11 bits one of 5 bits. AC: the 15 symbols that end blocks, EOB0…EOB14, of 4 bits
 * each, in the order of their values; in a sequential JPEG EOB0 alone is used.
 */
const dcSizes = Array.from({ length: 11 }, (_, i) => i + 1);
export const tables = {
  dc: { counts: countsOf({ 1: 1, 5: dcSizes.length }), symbols: [0, ...dcSizes] },
  ac: { counts: countsOf({ 4: 15 }), symbols: Array.from({ length: 15 }, (_, run) => run << 4) },
};
const mostRunBits = 14;

function countsOf(byLength: Record<number, number>): number[] {
  return Array.from({ length: 16 }, (_, i) => byLength[i + 1] ?? 0);
}

/** Bits, the highest first; the last byte is filled with ones, and 0 follows each 255. */
class Bits {
  readonly #bytes: number[] = [];
  #byte = 0;
  #free = 8;

  put(value: number, count: number): void {
    for (let i = count - 1; i >= 0; i--) {
      this.#byte = (this.#byte << 1) | ((value >> i) & 1);
      if (--this.#free === 0) this.#flush();
    }
  }

  zeros(count: number): void {
    let left = count;
    while (left > 0 && this.#free < 8) {
      this.put(0, 1);
      left--;
    }
    for (; left >= 8; left -= 8) this.#bytes.push(0);
    this.put(0, left);
  }

  toBuffer(): Buffer {
    if (this.#free < 8) this.put(2 ** this.#free - 1, this.#free);
    return Buffer.from(this.#bytes);
  }

  #flush(): void {
    this.#bytes.push(this.#byte);
    if (this.#byte === 0xff) this.#bytes.push(0);
    [this.#byte, this.#free] = [0, 8];
  }
}

/** Blocks of a sequential scan: the first has this DC coefficient, the others no difference to it, and none has AC coefficients. */
export function sequentialBlocks(blocks: number, coefficient: number): Buffer {
  const bits = new Bits();
  putDifference(bits, coefficient);
  bits.put(0, 4);
  // Without a difference, and at its end: 5 bits.
  bits.zeros((blocks - 1) * 5);
  return bits.toBuffer();
}

/** Blocks of a progressive scan with the first block's DC coefficient; what its low bits leave out is not refined, but stays 0. */
export function progressiveBlocks(blocks: number, { from, high, low }: Scan, coefficient: number): Buffer {
  const bits = new Bits();
  if (from > 0) putEnds(bits, blocks);
  else if (high > 0) bits.zeros(blocks);
  else {
    putDifference(bits, coefficient >> low);
    bits.zeros(blocks - 1);
  }
  return bits.toBuffer();
}

/** A difference's size in bits, then those: T.81, F.1.2.1. */
function putDifference(bits: Bits, difference: number): void {
  const size = difference === 0 ? 0 : Math.floor(Math.log2(Math.abs(difference))) + 1;
  if (size === 0) bits.put(0, 1);
  else bits.put(16 + size - 1, 5);
  bits.put(difference < 0 ? difference + 2 ** size - 1 : difference, size);
}

/** Runs of blocks without a coefficient: EOBn and n bits are a run of 2^n and what the bits add, T.81, G.1.2.2. */
function putEnds(bits: Bits, blocks: number): void {
  for (let left = blocks; left > 0; ) {
    const size = Math.min(mostRunBits, Math.floor(Math.log2(left)));
    const run = Math.min(left, 2 ** (size + 1) - 1);
    bits.put(size, 4);
    bits.put(run - 2 ** size, size);
    left -= run;
  }
}
