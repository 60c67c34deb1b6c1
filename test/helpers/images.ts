// sizes and pixels → the bytes of images, good and hostile; PNG is written here, independently of the decoder.
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';

type Channels = 1 | 2 | 3 | 4;
const colourTypes: Record<Channels, number> = { 1: 0, 2: 4, 3: 2, 4: 6 };
const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

/** An 8-bit PNG: gray, gray and alpha, rgb, or rgb and alpha; with an ICC profile where one is given. */
export function png(
  width: number,
  height: number,
  channels: Channels,
  pixels: Uint8Array,
  profile?: Uint8Array,
): Buffer {
  const row = width * channels;
  const lines = Buffer.alloc(height * (row + 1));
  for (let y = 0; y < height; y++) lines.set(pixels.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
  return Buffer.concat([
    signature,
    header(width, height, colourTypes[channels]),
    ...(profile ? [chunk('iCCP', Buffer.concat([Buffer.from('a name\0\0'), deflateSync(profile)]))] : []),
    chunk('IDAT', deflateSync(lines)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** One value everywhere. */
export function solidPng(width: number, height: number, value: number): Buffer {
  return png(width, height, 1, new Uint8Array(width * height).fill(value));
}

/** Claims a size of width x height and holds no pixels. */
export function hollowPng(width: number, height: number): Buffer {
  return Buffer.concat([
    signature,
    header(width, height, 2),
    chunk('IDAT', deflateSync(Buffer.alloc(1))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Two thirds of a PNG of noise: past the header, in the middle of the pixels. */
export function truncatedPng(): Buffer {
  const whole = png(64, 64, 1, noise(64 * 64));
  return whole.subarray(0, Math.floor((whole.length * 2) / 3));
}

export function svg(): Buffer {
  return Buffer.from('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="28" height="28"/>');
}

export function gif(): Buffer {
  return Buffer.from('R0lGODlhAQABAIAAAAAAAP///ywAAAAAAQABAAACAUwAOw==', 'base64');
}

/** One black pixel, then a white one. */
export function animatedGif(): Buffer {
  const head = Buffer.from('GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff', 'latin1');
  const frame = (index: 0 | 1) =>
    Buffer.from([0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, index === 0 ? 0x44 : 0x4c, 1, 0]);
  return Buffer.concat([head, frame(0), frame(1), Buffer.from(';')]);
}

/** The header of one, and nothing behind it. */
export function tiff(): Buffer {
  return Buffer.from([0x49, 0x49, 42, 0, 8, 0, 0, 0, 0, 0]);
}

export async function jpeg(
  width: number,
  height: number,
  value: number,
  orientation?: number,
): Promise<Buffer> {
  const image = sharp(Buffer.alloc(width * height, value), { raw: { width, height, channels: 1 } });
  return await (orientation ? image.withMetadata({ orientation }) : image).jpeg().toBuffer();
}

export async function webp(width: number, height: number, value: number): Promise<Buffer> {
  const raw = { width, height, channels: 1 } as const;
  return await sharp(Buffer.alloc(width * height, value), { raw })
    .webp({ lossless: true })
    .toBuffer();
}

/** Bytes without a pattern, the same every time. */
export function noise(length: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

function header(width: number, height: number, colourType: number): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data.set([8, colourType, 0, 0, 0], 8);
  return chunk('IHDR', data);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
