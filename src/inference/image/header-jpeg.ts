// a JPEG → its header. https://www.w3.org/Graphics/JPEG/itu-t81.pdf, annex B: markers, most of them followed by a length.
import type { HeaderProblem, ImageHeader } from './header-types.js';
import { isFrame, isProgressive, jpegMarker } from './jpeg-markers.js';

const isApplication = (code: number) => code >= 0xe0 && code <= 0xef;

/** Bytes of the coefficients of a block: 64 of 2 bytes each. */
const blockBytes = 128;
/** Measured: libvips keeps each application segment, in 200 bytes and twice the bytes of the segment. */
const [segmentBytes, segmentCopies] = [200, 2];

interface Frame {
  width: number;
  height: number;
  precision: number;
  progressive: boolean;
  /** Blocks of 8 x 8 samples of each component, by its identifier. */
  blocks: Map<number, number>;
}

interface Walk {
  frame?: Frame;
  parts: number;
  applications: number;
  applicationBytes: number;
  scans: number;
  scanBlocks: number;
  /** Whether the decoder holds all coefficients: if the frame is progressive, or its first scan lacks a component. */
  buffered: boolean;
}

export function readJpeg(file: Buffer): ImageHeader | HeaderProblem {
  const { frame, ...walk } = walkMarkers(file);
  if (!frame || walk.scans === 0) return { damaged: 'the jpeg header has no frame or no scan' };
  const coefficients = walk.buffered ? blockBytes * sum(frame.blocks.values()) : 0;
  return {
    kind: 'jpeg',
    width: frame.width,
    height: frame.height,
    channels: frame.blocks.size,
    sampleBytes: frame.precision > 8 ? 2 : 1,
    buffered: walk.buffered,
    heldBytes: coefficients + segmentBytes * walk.applications + segmentCopies * walk.applicationBytes,
    passes: walk.scans,
    scanBlocks: walk.scanBlocks,
    parts: walk.parts,
    keptParts: walk.applications,
  };
}

function walkMarkers(file: Buffer): Walk {
  const walk: Walk = {
    parts: 0,
    applications: 0,
    applicationBytes: 0,
    scans: 0,
    scanBlocks: 0,
    buffered: false,
  };
  for (let at = 2; at + 4 <= file.length; ) {
    const code = file.readUInt8(at + 1);
    if (file.readUInt8(at) !== 0xff || code === 0xff || isBare(code)) {
      at++;
      continue;
    }
    if (code === jpegMarker.eoi) break;
    const length = file.readUInt16BE(at + 2);
    walk.parts++;
    if (isApplication(code)) {
      walk.applications++;
      walk.applicationBytes += length;
    }
    if (isFrame(code)) walk.frame ??= readFrame(file, at, code);
    at += 2 + length;
    if (code !== jpegMarker.sos) continue;
    if (!readScan(file, at - length, walk)) break;
    at = endOfScan(file, at);
  }
  return walk;
}

/** Markers without a length: TEM, RST0…7, SOI, and 00, which follows a data byte FF. */
function isBare(code: number): boolean {
  return code <= 1 || (code >= 0xd0 && code <= 0xd8);
}

function readFrame(file: Buffer, at: number, code: number): Frame {
  const [height, width] = [file.readUInt16BE(at + 5), file.readUInt16BE(at + 7)];
  const components = Array.from({ length: file.readUInt8(at + 9) }, (_, i) => {
    const sampling = file.readUInt8(at + 11 + 3 * i);
    return { id: file.readUInt8(at + 10 + 3 * i), across: sampling >> 4, down: sampling & 15 };
  });
  const [mostAcross, mostDown] = [
    Math.max(1, ...components.map(({ across }) => across)),
    Math.max(1, ...components.map(({ down }) => down)),
  ];
  const blocks = components.map(({ id, across, down }) => {
    const columns = Math.ceil((width * across) / mostAcross / 8);
    return [id, columns * Math.ceil((height * down) / mostDown / 8)] as const;
  });
  return {
    width,
    height,
    precision: file.readUInt8(at + 4),
    progressive: isProgressive(code),
    blocks: new Map(blocks),
  };
}

/**
 * Counts a scan. @param at its length field.
 * @returns whether more scans count. If a frame is not progressive, a scan of all its components is the last one.
 */
function readScan(file: Buffer, at: number, walk: Walk): boolean {
  walk.scans++;
  if (!walk.frame) return false;
  const { blocks, progressive } = walk.frame;
  const components = Array.from({ length: file.readUInt8(at + 2) }, (_, i) => file.readUInt8(at + 3 + 2 * i));
  walk.scanBlocks += sum(components.map((id) => blocks.get(id) ?? 0));
  if (!progressive && !walk.buffered && components.length >= blocks.size) return false;
  walk.buffered = true;
  return true;
}

function endOfScan(file: Buffer, from: number): number {
  for (let at = from; at + 1 < file.length; at++) {
    const next = file[at + 1] ?? 0;
    if (file[at] === 0xff && next !== 0xff && !isBare(next)) return at;
  }
  return file.length;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
