// Coefficients that are all zero except the first → the entropy-coded bytes of a JPEG's scan, with special Huffman tables.

export interface Scan {
  /** The indexes of the frame's components. */
  components: readonly number[];
  /** Coefficients 0…63 in zigzag order, and the bits: Ss, Se, Ah, Al of ITU-T T.81, B.2.3. */
  from: number;
  to: number;
  high: number;
  low: number;
}

/**
 * DC: the code 0 is no difference, and a difference of 1…11 bits has a code of 5 bits. AC: the 15 symbols that end blocks,
 * EOB0…EOB14, have 4 bits each, in the order of their values. A sequential JPEG uses only EOB0.
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

/** Writes bits, the highest first. The last byte is filled with ones, and 0 follows each 255. */
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

/** Writes blocks of a sequential scan. The first has this DC coefficient, the others have no difference, and none has AC coefficients. */
export function sequentialBlocks(blocks: number, coefficient: number): Buffer {
  const bits = new Bits();
  putDifference(bits, coefficient);
  bits.put(0, 4);
  // No difference, then the end of the block: 5 bits.
  bits.zeros((blocks - 1) * 5);
  return bits.toBuffer();
}

/** Writes blocks of a progressive scan with the first block's DC coefficient. Its missing low bits stay 0 without refinement. */
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

/** Writes a difference: its size in bits, then the bits (T.81, F.1.2.1). */
function putDifference(bits: Bits, difference: number): void {
  const size = difference === 0 ? 0 : Math.floor(Math.log2(Math.abs(difference))) + 1;
  if (size === 0) bits.put(0, 1);
  else bits.put(16 + size - 1, 5);
  bits.put(difference < 0 ? difference + 2 ** size - 1 : difference, size);
}

/** Writes runs of blocks without a coefficient: EOBn and n bits are a run of 2^n plus the value of the bits (T.81, G.1.2.2). */
function putEnds(bits: Bits, blocks: number): void {
  for (let left = blocks; left > 0; ) {
    const size = Math.min(mostRunBits, Math.floor(Math.log2(left)));
    const run = Math.min(left, 2 ** (size + 1) - 1);
    bits.put(size, 4);
    bits.put(run - 2 ** size, size);
    left -= run;
  }
}
