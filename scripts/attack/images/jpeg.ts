// Sizes and scans → JPEGs of one gray that are small as files and large after decoding; always the same bytes.
import { progressiveBlocks, type Scan, sequentialBlocks, tables } from './jpeg-entropy.js';

type Sampling = 'gray' | '4:4:4' | '4:2:0';

export interface FlatJpeg {
  width: number;
  height: number;
  /** Default: 4:4:4. */
  sampling?: Sampling;
  /** The scans of a progressive JPEG, or true for those of libjpeg; default: sequential. */
  progressive?: boolean | readonly Scan[];
  /** Gives a sequential JPEG one scan per component, so that a decoder cannot work row by row. */
  apart?: boolean;
  /** 0…255, default 200; for the usual progressive scans, the next even level below. */
  level?: number;
  /** Bytes after the first marker. */
  before?: readonly Buffer[];
  /** The MCUs between restart markers of a sequential JPEG; no markers by default. */
  restartInterval?: number;
}

interface Frame {
  /** The sampling factor of the first component against the others, in both directions. */
  factor: 1 | 2;
  components: 1 | 3;
}

const frames: Record<Sampling, Frame> = {
  gray: { factor: 1, components: 1 },
  '4:4:4': { factor: 1, components: 3 },
  '4:2:0': { factor: 2, components: 3 },
};
/** With the divisor 8, a DC coefficient is the level's distance from the middle. */
const quantisation = Buffer.concat([Buffer.of(0), Buffer.alloc(64, 8)]);

/** First and refining scans in libjpeg's own order. */
function usualScans(components: 1 | 3): Scan[] {
  const all = components === 1 ? [0] : [0, 1, 2];
  const [, ...chroma] = all;
  const scan = (components: readonly number[], from: number, to: number, high: number, low: number) => ({
    components,
    from,
    to,
    high,
    low,
  });
  return [
    scan(all, 0, 0, 0, 1),
    scan([0], 1, 5, 0, 2),
    ...chroma.map((one) => scan([one], 1, 63, 0, 1)),
    scan([0], 6, 63, 0, 2),
    scan([0], 1, 63, 2, 1),
    scan(all, 0, 0, 1, 0),
    ...chroma.map((one) => scan([one], 1, 63, 1, 0)),
    scan([0], 1, 63, 1, 0),
  ];
}

/** Returns a JPEG of one gray, of any size up to 65,535 x 65,535. 25 progressive megapixels of 4:4:4 have about 300 kB. */
export function flatJpeg(options: FlatJpeg): Buffer {
  const { width, height, sampling = '4:4:4', progressive = false, level = 200, before = [] } = options;
  const frame = frames[sampling];
  const scans = progressive === true ? usualScans(frame.components) : progressive || [];
  return Buffer.concat([
    marker(0xd8),
    ...before,
    segment(0xdb, quantisation),
    segment(0xc4, table(0x00, tables.dc)),
    segment(0xc4, table(0x10, tables.ac)),
    frameHeader(progressive ? 0xc2 : 0xc0, width, height, frame),
    ...(progressive
      ? scans.flatMap((scan) => progressiveScan(scan, options, frame, level - 128))
      : sequentialScan(options, frame, level - 128)),
    marker(0xd9),
  ]);
}

export function marker(code: number): Buffer {
  return Buffer.of(0xff, code);
}

export function segment(code: number, data: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(data.length + 2);
  return Buffer.concat([marker(code), length, data]);
}

function table(place: number, { counts, symbols }: { counts: number[]; symbols: number[] }): Buffer {
  return Buffer.from([place, ...counts, ...symbols]);
}

function frameHeader(code: number, width: number, height: number, { factor, components }: Frame): Buffer {
  const data = Buffer.alloc(6 + 3 * components);
  data[0] = 8;
  data.writeUInt16BE(height, 1);
  data.writeUInt16BE(width, 3);
  data[5] = components;
  for (let i = 0; i < components; i++) data.set([i + 1, i === 0 ? factor * 0x11 : 0x11, 0], 6 + 3 * i);
  return segment(code, data);
}

export function scanHeader({ components, from, to, high, low }: Scan): Buffer {
  const chosen = components.flatMap((one) => [one + 1, 0]);
  return segment(0xda, Buffer.from([components.length, ...chosen, from, to, (high << 4) | low]));
}

function sequentialScan(options: FlatJpeg, frame: Frame, coefficient: number): Buffer[] {
  const components = Array.from({ length: frame.components }, (_, i) => i);
  const whole = { from: 0, to: 63, high: 0, low: 0 };
  if (options.apart)
    return components.flatMap((one) => {
      const blocks = blocksOfOne(one, options, frame);
      return [
        scanHeader({ components: [one], ...whole }),
        sequentialBlocks(blocks, one === 0 ? coefficient : 0),
      ];
    });
  const header = scanHeader({ components, ...whole });
  const units = unitsOf(options, frame);
  const perUnit = blocksPerUnit(frame);
  const { restartInterval: interval = 0 } = options;
  if (interval === 0) return [header, sequentialBlocks(units * perUnit, coefficient)];
  const full = sequentialBlocks(interval * perUnit, coefficient);
  const parts: Buffer[] = [];
  for (let done = 0; done < units; done += interval) {
    if (done > 0) parts.push(marker(0xd0 + ((done / interval - 1) % 8)));
    const left = Math.min(interval, units - done);
    parts.push(left === interval ? full : sequentialBlocks(left * perUnit, coefficient));
  }
  return [segment(0xdd, Buffer.of(interval >> 8, interval & 255)), header, ...parts];
}

function progressiveScan(scan: Scan, options: FlatJpeg, frame: Frame, coefficient: number): Buffer[] {
  const [only = 0, ...more] = scan.components;
  const blocks =
    more.length > 0 ? unitsOf(options, frame) * blocksPerUnit(frame) : blocksOfOne(only, options, frame);
  return [scanHeader(scan), progressiveBlocks(blocks, scan, only === 0 ? coefficient : 0)];
}

/** The number of MCUs of a scan of all components. */
function unitsOf({ width, height }: FlatJpeg, { factor }: Frame): number {
  return Math.ceil(width / (8 * factor)) * Math.ceil(height / (8 * factor));
}

function blocksPerUnit({ factor, components }: Frame): number {
  return factor ** 2 + components - 1;
}

/** The number of MCUs of a scan of one component: only those that cover it. */
function blocksOfOne(component: number, { width, height }: FlatJpeg, { factor }: Frame): number {
  const shrink = component === 0 ? 1 : factor;
  return Math.ceil(Math.ceil(width / shrink) / 8) * Math.ceil(Math.ceil(height / shrink) / 8);
}
