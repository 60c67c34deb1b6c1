// A JPEG → whether all its data is there. libjpeg has warnings for that, which also stand for harmless oddities of a whole image.
import { monotonicMs } from '../clock.js';
import { createHuffmanTable, type HuffmanTable, JpegBits } from './jpeg-bits.js';
import { type JpegComponent, type JpegScan, readBlock, type ScanComponent } from './jpeg-blocks.js';
import { JpegDamage, UncheckedCoding } from './jpeg-damage.js';
import { isFrame, isProgressive, jpegMarker } from './jpeg-markers.js';

interface Frame {
  width: number;
  height: number;
  progressive: boolean;
  mostAcross: number;
  mostDown: number;
  components: JpegComponent[];
}

interface State {
  file: Buffer;
  deadline: number;
  quantisers: Map<number, number>;
  /** By class and number. */
  tables: Map<number, HuffmanTable>;
  restartInterval: number;
  frame?: Frame;
}

/** Bytes that some cameras leave behind the last block of a scan. They may also fill it up with one value. */
const mostSpare = 2;

/**
 * Reads the codes of every scan, without computing a pixel. It takes about as long as decoding.
 * @param deadline on the clock of clock.ts
 * @returns what is missing or wrong; undefined if every block of the image is there, or if the file has another coding than that of Huffman,
 * or no tables for it.
 */
export function findJpegDamage(file: Buffer, deadline: number): string | undefined {
  try {
    readFile({ file, deadline, quantisers: new Map(), tables: new Map(), restartInterval: 0 });
    return undefined;
  } catch (error) {
    if (error instanceof JpegDamage) return error.message;
    if (error instanceof RangeError) return 'a segment ends early';
    if (error instanceof UncheckedCoding) return undefined;
    throw error;
  }
}

function readFile(state: State): void {
  const { file } = state;
  for (let at = 2; ; ) {
    at = nextMarker(file, at);
    const code = file.readUInt8(at + 1);
    if (code === jpegMarker.eoi) break;
    const length = file.readUInt16BE(at + 2);
    const segment = file.subarray(at + 4, at + 2 + length);
    at += 2 + length;
    if (code === jpegMarker.sos) at = readScan(state, segment, at);
    else readSegment(state, code, segment);
  }
  const { frame } = state;
  if (!frame?.components.every(({ scanned }) => scanned)) throw new JpegDamage('a component has no scan');
}

function nextMarker(file: Buffer, from: number): number {
  for (let at = from; at + 1 < file.length; at++) {
    const code = file[at + 1] ?? 0;
    if (file[at] === 0xff && code > 1 && code !== 0xff && !(code >= 0xd0 && code <= 0xd8)) return at;
  }
  throw new JpegDamage('it ends without an end marker');
}

function readSegment(state: State, code: number, segment: Buffer): void {
  if (code === jpegMarker.dht) readTables(state, segment);
  else if (code === jpegMarker.dqt) readQuantisers(state, segment);
  else if (code === jpegMarker.dri) state.restartInterval = segment.readUInt16BE(0);
  else if (isFrame(code)) {
    if (![0xc0, 0xc1, 0xc2].includes(code)) throw new UncheckedCoding();
    state.frame = readFrame(state, segment, isProgressive(code));
  }
}

function readTables({ tables }: State, segment: Buffer): void {
  for (let at = 0; at < segment.length; ) {
    const key = segment.readUInt8(at);
    const counts = segment.subarray(at + 1, at + 17);
    const total = counts.reduce((sum, count) => sum + count, 0);
    tables.set(key, createHuffmanTable(counts, segment.subarray(at + 17, at + 17 + total)));
    at += 17 + total;
  }
}

function readQuantisers({ quantisers }: State, segment: Buffer): void {
  for (let at = 0; at < segment.length; ) {
    const key = segment.readUInt8(at);
    const wide = key >> 4 > 0;
    quantisers.set(key & 15, wide ? segment.readUInt16BE(at + 1) : segment.readUInt8(at + 1));
    at += wide ? 129 : 65;
  }
}

function readFrame({ quantisers }: State, segment: Buffer, progressive: boolean): Frame {
  const [height, width] = [segment.readUInt16BE(1), segment.readUInt16BE(3)];
  const read = Array.from({ length: segment.readUInt8(5) }, (_, i) => {
    const sampling = segment.readUInt8(7 + 3 * i);
    const table = segment.readUInt8(8 + 3 * i);
    return { id: segment.readUInt8(6 + 3 * i), across: sampling >> 4, down: sampling & 15, table };
  });
  const mostAcross = Math.max(1, ...read.map(({ across }) => across));
  const mostDown = Math.max(1, ...read.map(({ down }) => down));
  const components = read.map(({ table, ...component }): JpegComponent => {
    const { across, down } = component;
    const stride = Math.ceil(width / (8 * mostAcross)) * across;
    const allRows = Math.ceil(height / (8 * mostDown)) * down;
    return {
      ...component,
      quantiser: quantisers.get(table) ?? 0,
      columns: Math.ceil(Math.ceil((width * across) / mostAcross) / 8),
      rows: Math.ceil(Math.ceil((height * down) / mostDown) / 8),
      stride,
      present: new Uint32Array(progressive ? 2 * stride * allRows : 0),
      scanned: false,
    };
  });
  return { width, height, progressive, mostAcross, mostDown, components };
}

/** @param at the first byte behind the segment. @returns the position behind the scan. */
function readScan(state: State, segment: Buffer, at: number): number {
  const { frame, tables } = state;
  if (!frame) throw new JpegDamage('a scan comes before the frame');
  const count = segment.readUInt8(0);
  const parts = Array.from({ length: count }, (_, i): ScanComponent => {
    const component = frame.components.find(({ id }) => id === segment.readUInt8(1 + 2 * i));
    if (!component) throw new JpegDamage('a scan has a component that the frame has not');
    component.scanned = true;
    const chosen = segment.readUInt8(2 + 2 * i);
    return { component, dc: tables.get(chosen >> 4), ac: tables.get(16 + (chosen & 15)), value: 0 };
  });
  const [first, last, shift] = [1, 2, 3].map((i) => segment.readUInt8(2 * count + i));
  const scan: JpegScan = {
    bits: new JpegBits(state.file, at),
    progressive: frame.progressive,
    first: first ?? 0,
    last: last ?? 63,
    high: frame.progressive ? (shift ?? 0) >> 4 : 0,
    low: frame.progressive ? (shift ?? 0) & 15 : 0,
    run: 0,
  };
  readUnits(state, frame, scan, parts);
  return endOfScan(state.file, scan.bits.align());
}

/** All MCUs, or the blocks of a component that is alone in its scan. */
function readUnits(state: State, frame: Frame, scan: JpegScan, parts: ScanComponent[]): void {
  const [only] = parts;
  const alone = parts.length === 1 && only ? only.component : undefined;
  const columns = alone ? alone.columns : Math.ceil(frame.width / (8 * frame.mostAcross));
  const rows = alone ? alone.rows : Math.ceil(frame.height / (8 * frame.mostDown));
  const interval = state.restartInterval;
  for (let row = 0, unit = 0; row < rows; row++) {
    if (monotonicMs() > state.deadline) throw new JpegDamage('its data takes too long to check');
    for (let column = 0; column < columns; column++, unit++) {
      if (interval > 0 && unit > 0 && unit % interval === 0) restart(scan, parts, unit / interval - 1);
      if (alone && only) readBlock(scan, only, row * alone.stride + column);
      else for (const part of parts) readMcu(scan, part, row, column);
    }
  }
}

function readMcu(scan: JpegScan, part: ScanComponent, row: number, column: number): void {
  const { across, down, stride } = part.component;
  for (let y = 0; y < down; y++)
    for (let x = 0; x < across; x++) readBlock(scan, part, (row * down + y) * stride + column * across + x);
}

function restart(scan: JpegScan, parts: ScanComponent[], count: number): void {
  const { bits } = scan;
  let at = bits.align();
  while (bits.file[at] === 0xff && bits.file[at + 1] === 0xff) at++;
  if (bits.file[at] !== 0xff || bits.file[at + 1] !== 0xd0 + (count & 7))
    throw new JpegDamage('a restart marker is not where it must be');
  bits.at = at + 2;
  scan.run = 0;
  for (const part of parts) part.value = 0;
}

/** @param at behind the last block. @returns the position of the next marker. */
function endOfScan(file: Buffer, at: number): number {
  const next = nextMarker(file, at);
  const spare = file.subarray(at, next);
  const isPadding = spare.every((byte) => byte === spare[0] || byte === 0xff);
  if (spare.length > mostSpare && !isPadding)
    throw new JpegDamage(`${next - at} bytes of a scan belong to no block`);
  return next;
}
