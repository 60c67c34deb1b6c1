// The coded data of a JPEG scan → its bits and Huffman symbols. Annexes B.1.1.5 and F.2.2 of https://www.w3.org/Graphics/JPEG/itu-t81.pdf.
import { JpegDamage } from './jpeg-damage.js';

/** A code of `length` bits is less than limits[length], as the first of 16 bits, and its symbol is symbols[offsets[length] + code]. */
export interface HuffmanTable {
  limits: Uint32Array;
  offsets: Int32Array;
  symbols: Uint8Array;
}

/** @param counts the number of codes of each length from 1 to 16 bits. @param symbols in the order of their codes. */
export function createHuffmanTable(counts: Uint8Array, symbols: Uint8Array): HuffmanTable {
  const limits = new Uint32Array(17);
  const offsets = new Int32Array(17);
  let [code, used] = [0, 0];
  for (let length = 1; length <= 16; length++) {
    const count = counts[length - 1] ?? 0;
    offsets[length] = used - code;
    code += count;
    used += count;
    limits[length] = code << (16 - length);
    code <<= 1;
  }
  return { limits, offsets, symbols };
}

export class JpegBits {
  #buffer = 0;
  #count = 0;

  /** @param at the first byte of the coded data. */
  constructor(
    readonly file: Uint8Array,
    public at: number,
  ) {}

  /** @throws JpegDamage if no code of the table matches, or the data ends. */
  symbol({ limits, offsets, symbols }: HuffmanTable): number {
    const next = this.#peek16();
    for (let length = 1; length <= 16; length++) {
      if (next >= (limits[length] ?? 0)) continue;
      this.#drop(length);
      return symbols[(offsets[length] ?? 0) + (next >> (16 - length))] ?? 0;
    }
    throw new JpegDamage('its data has a code that no table has');
  }

  /** @param count at most 16. @throws JpegDamage if the data ends. */
  bits(count: number): number {
    if (count === 0) return 0;
    const value = this.#peek16() >> (16 - count);
    this.#drop(count);
    return value;
  }

  /** Leaves the rest of the byte. @returns the position of what follows it. */
  align(): number {
    // Bytes that were read ahead are given back.
    for (let whole = this.#count >> 3; whole > 0; whole--) {
      this.at--;
      if (this.file[this.at] === 0 && this.file[this.at - 1] === 0xff) this.at--;
    }
    this.#count = 0;
    this.#buffer = 0;
    return this.at;
  }

  #peek16(): number {
    while (this.#count < 16 && this.#readByte());
    return this.#count >= 16
      ? (this.#buffer >>> (this.#count - 16)) & 0xffff
      : (this.#buffer << (16 - this.#count)) & 0xffff;
  }

  #drop(count: number): void {
    if (count > this.#count) throw new JpegDamage('the data of a scan ends before all blocks are there');
    this.#count -= count;
  }

  /** @returns whether there was one. A marker ends the data. */
  #readByte(): boolean {
    const byte = this.file[this.at];
    if (byte === undefined || (byte === 0xff && this.file[this.at + 1] !== 0)) return false;
    this.#buffer = (this.#buffer << 8) | byte;
    this.#count += 8;
    this.at += byte === 0xff ? 2 : 1;
    return true;
  }
}
