// The bits of a JPEG scan → its blocks, of which only the positions of coefficients are kept. Annexes F.2.2 and G.1.2.
import type { HuffmanTable, JpegBits } from './jpeg-bits.js';
import { JpegDamage, UncheckedCoding } from './jpeg-damage.js';

/** One component of a frame. */
export interface JpegComponent {
  id: number;
  /** Sampling factors. */
  across: number;
  down: number;
  /** The quantiser of the first coefficient; 0 if it is not known. */
  quantiser: number;
  /** Blocks of the component itself, and of whole MCUs. */
  columns: number;
  rows: number;
  stride: number;
  /** Coefficients that are not 0: two words of 32 bits for each block. */
  present: Uint32Array;
  scanned: boolean;
}

/**
 * A scan has the coefficients `first` to `last` of its blocks. Its first pass leaves out the `low` lowest bits. A later pass, in which
 * `high` is not 0, adds one bit.
 */
export interface JpegScan {
  bits: JpegBits;
  progressive: boolean;
  first: number;
  last: number;
  high: number;
  low: number;
  /** Blocks of the current run of ends of blocks. */
  run: number;
}

export interface ScanComponent {
  component: JpegComponent;
  dc: HuffmanTable | undefined;
  ac: HuffmanTable | undefined;
  /** The last DC value. */
  value: number;
}

/** The mean of 8-bit samples gives at most 1024; twice as much is damage. */
const mostDc = 2048;

/** Reads one block. @throws JpegDamage */
export function readBlock(scan: JpegScan, part: ScanComponent, block: number): void {
  if (!scan.progressive) {
    readDc(scan, part);
    readAc(scan, part, 1, 63);
  } else if (scan.first === 0) {
    if (scan.high === 0) readDc(scan, part);
    else scan.bits.bits(1);
  } else if (scan.high === 0) readFirstAc(scan, part, block);
  else refineAc(scan, part, block);
}

function readDc({ bits, low }: JpegScan, part: ScanComponent): void {
  const size = bits.symbol(tableOf(part.dc));
  if (size > 15) throw new JpegDamage('its data has a DC value of more than 15 bits');
  const coded = bits.bits(size);
  part.value += size > 0 && coded < 1 << (size - 1) ? coded - (1 << size) + 1 : coded;
  const { quantiser } = part.component;
  if (Math.abs(part.value << low) * quantiser > mostDc + quantiser)
    throw new JpegDamage('its data has a mean beyond black or white');
}

function readAc({ bits }: JpegScan, part: ScanComponent, first: number, last: number): void {
  const table = tableOf(part.ac);
  for (let k = first; k <= last; k++) {
    const symbol = bits.symbol(table);
    const [zeros, size] = [symbol >> 4, symbol & 15];
    if (size === 0 && zeros !== 15) return;
    k += zeros;
    if (k > last) throw new JpegDamage('its data has a block with too many coefficients');
    bits.bits(size);
  }
}

function readFirstAc(scan: JpegScan, part: ScanComponent, block: number): void {
  const { bits, last } = scan;
  if (scan.run > 0) {
    scan.run--;
    return;
  }
  const table = tableOf(part.ac);
  for (let k = scan.first; k <= last; k++) {
    const symbol = bits.symbol(table);
    const [zeros, size] = [symbol >> 4, symbol & 15];
    if (size === 0 && zeros !== 15) {
      scan.run = (1 << zeros) + bits.bits(zeros) - 1;
      return;
    }
    k += zeros;
    if (k > last) throw new JpegDamage('its data has a block with too many coefficients');
    if (size === 0) continue;
    bits.bits(size);
    mark(part.component, block, k);
  }
}

function refineAc(scan: JpegScan, part: ScanComponent, block: number): void {
  const { bits, last } = scan;
  const { component } = part;
  let k = scan.first;
  if (scan.run === 0) {
    const table = tableOf(part.ac);
    for (; k <= last; k++) {
      const symbol = bits.symbol(table);
      const [zeros, size] = [symbol >> 4, symbol & 15];
      if (size > 1) throw new JpegDamage('its data has a correction of more than one bit');
      if (size === 0 && zeros !== 15) {
        scan.run = (1 << zeros) + bits.bits(zeros);
        break;
      }
      if (size === 1) bits.bits(1);
      k = skipZeros(scan, component, { block, k, zeros });
      if (size === 0) continue;
      if (k > last) throw new JpegDamage('its data has a block with too many coefficients');
      mark(component, block, k);
    }
  }
  if (scan.run === 0) return;
  for (; k <= last; k++) if (isMarked(component, block, k)) bits.bits(1);
  scan.run--;
}

/** Reads the corrections up to the zero coefficient after `zeros` others. @returns its position, or last + 1 */
function skipZeros(
  { bits, last }: JpegScan,
  component: JpegComponent,
  { block, k, zeros }: { block: number; k: number; zeros: number },
): number {
  let left = zeros;
  for (; k <= last; k++) {
    if (isMarked(component, block, k)) bits.bits(1);
    else if (left-- === 0) return k;
  }
  return k;
}

function mark({ present }: JpegComponent, block: number, k: number): void {
  const word = 2 * block + (k >> 5);
  present[word] = (present[word] ?? 0) | (1 << (k & 31));
}

function isMarked({ present }: JpegComponent, block: number, k: number): boolean {
  return (((present[2 * block + (k >> 5)] ?? 0) >>> (k & 31)) & 1) === 1;
}

/** Frames of motion JPEG have no tables: decoders take those of annex K. */
function tableOf(table: HuffmanTable | undefined): HuffmanTable {
  if (table) return table;
  throw new UncheckedCoding();
}
