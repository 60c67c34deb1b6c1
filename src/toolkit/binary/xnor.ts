// Products of signs by exclusive or and bit counts, in scalar code. It shows what one bit per weight could gain; only bench/binary.ts uses it.

/** Rows of bits. Zeros fill each row up to whole 32-bit words. */
export interface BitRows {
  readonly words: Uint32Array;
  readonly rows: number;
  /** Bits per row. */
  readonly width: number;
}

/** Packs values into rows of bits. A bit is 1 if its value is 0 or more. */
export function packRows(values: ArrayLike<number>, rows: number): BitRows {
  const width = values.length / rows;
  const perRow = Math.ceil(width / 32);
  const words = new Uint32Array(rows * perRow);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width; i++) {
      if ((values[row * width + i] as number) < 0) continue;
      const word = row * perRow + (i >>> 5);
      words[word] = (words[word] as number) | (1 << (i & 31));
    }
  }
  return { words, rows, width };
}

/** Packs every window of [N, C, H, W] into a row of bits, in the order of a filter's weights; stride 1, no pads. */
export function packWindows(
  values: ArrayLike<number>,
  [batch, channels, height, width]: readonly [number, number, number, number],
  kernel: number,
): BitRows {
  const [outY, outX] = [height - kernel + 1, width - kernel + 1];
  const size = channels * kernel * kernel;
  const perRow = Math.ceil(size / 32);
  const words = new Uint32Array(batch * outY * outX * perRow);
  let word = 0;
  for (let n = 0; n < batch; n++)
    for (let y = 0; y < outY; y++)
      for (let x = 0; x < outX; x++, word += perRow) {
        let bit = 0;
        for (let c = 0; c < channels; c++)
          for (let i = 0; i < kernel; i++) {
            const start = ((n * channels + c) * height + y + i) * width + x;
            for (let j = 0; j < kernel; j++, bit++) {
              if ((values[start + j] as number) < 0) continue;
              const at = word + (bit >>> 5);
              words[at] = (words[at] as number) | (1 << (bit & 31));
            }
          }
      }
  return { words, rows: batch * outY * outX, width: size };
}

/** y[r, k] = sum over i of a[r, i] b[k, i] = width - 2 (number of bits in which the rows differ). */
export function xnorProduct(a: BitRows, b: BitRows): Int32Array {
  const perRow = Math.ceil(a.width / 32);
  const sums = new Int32Array(a.rows * b.rows);
  for (let row = 0; row < a.rows; row++)
    for (let column = 0; column < b.rows; column++) {
      let differing = 0;
      for (let i = 0; i < perRow; i++)
        differing += countBits(
          (a.words[row * perRow + i] as number) ^ (b.words[column * perRow + i] as number),
        );
      sums[row * b.rows + column] = a.width - 2 * differing;
    }
  return sums;
}

/** Counts bits in pairs, in fours and in bytes, and sums the bytes by a product (Warren, Hacker's Delight, 2nd ed., 5-1). */
function countBits(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
