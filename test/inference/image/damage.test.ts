// Whole images with harmless oddities → their pixels. Images that are damaged → an error with a reason of their own.
import sharp, { type JpegOptions } from 'sharp';
import t from 'tap';
import { flatJpeg } from '../../../scripts/attack/images/jpeg.js';
import { UndecodableImageError } from '../../../src/inference/errors.js';
import type { InputContract } from '../../../src/inference/image/contract.js';
import { findDamage } from '../../../src/inference/image/damage.js';
import { decodeImage } from '../../../src/inference/image/decode.js';
import { createRandom, type Random } from '../../../src/toolkit/random.js';
import { noise, png } from '../../helpers/images.js';

const thumbnail: InputContract = {
  width: 32,
  height: 32,
  channels: 'rgb',
  fit: 'fill',
  kernel: 'linear',
  scale: 1 / 255,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};
const digit: InputContract = {
  ...thumbnail,
  width: 28,
  height: 28,
  channels: 'gray',
  mean: [0],
  std: [1],
  polarity: 'auto',
};
const limits = { maxPixels: 25_000_000 };

/** A smooth scene with some noise, as a photo has both. */
async function photo(random: Random, options: JpegOptions = {}): Promise<Buffer> {
  const [width, height] = [20 + random.below(140), 20 + random.below(140)];
  const channels = random.below(4) === 0 ? 1 : 3;
  const data = new Uint8Array(width * height * channels).map(
    (_, i) => 128 + 80 * Math.sin(i / 400) + random.below(40),
  );
  const image = sharp(data, { raw: { width, height, channels } });
  return await (random.below(6) === 0 ? image.toColourspace('cmyk') : image)
    .jpeg({
      quality: 20 + random.below(80),
      progressive: random.below(2) === 0,
      chromaSubsampling: random.below(2) === 0 ? '4:2:0' : '4:4:4',
      optimiseScans: random.below(2) === 0,
      optimiseCoding: random.below(2) === 0,
      trellisQuantisation: random.below(2) === 0,
      ...options,
    })
    .toBuffer();
}

const damageOf = (file: Buffer) => findDamage(file, 'jpeg', Infinity);

t.test('whole JPEGs of every coding have no damage', async (t) => {
  const random = createRandom(1, 'whole');
  for (let i = 0; i < 60; i++) {
    const file = await photo(random);
    if (damageOf(file) !== undefined) t.fail(`photo ${i}: ${damageOf(file)}`);
  }
  for (const progressive of [false, true])
    for (const sampling of ['gray', '4:4:4', '4:2:0'] as const)
      t.equal(damageOf(flatJpeg({ width: 333, height: 201, progressive, sampling })), undefined);
  for (const restartInterval of [1, 7, 40])
    t.equal(damageOf(flatJpeg({ width: 333, height: 201, restartInterval })), undefined);
  t.equal(damageOf(flatJpeg({ width: 333, height: 201, apart: true })), undefined);
});

const sequential: JpegOptions = {
  progressive: false,
  optimiseScans: false,
  optimiseCoding: false,
  trellisQuantisation: false,
};

/** Replaces bytes behind a marker. */
function patched(file: Buffer, marker: number, at: number, ...bytes: number[]): Buffer {
  const copy = Buffer.from(file);
  copy.set(bytes, copy.indexOf(Buffer.from([0xff, marker])) + at);
  return copy;
}

function withSegment(file: Buffer, code: number, data: Buffer): Buffer {
  const head = Buffer.from([0xff, code, 0, data.length + 2]);
  return Buffer.concat([file.subarray(0, 2), head, data, file.subarray(2)]);
}

/** Frames of motion JPEG have none, and mean those of annex K. */
function withoutTables(file: Buffer): Buffer {
  const at = file.indexOf(Buffer.from([0xff, 0xc4]));
  if (at < 0) return file;
  const end = at + 2 + file.readUInt16BE(at + 2);
  return withoutTables(Buffer.concat([file.subarray(0, at), file.subarray(end)]));
}

const oddities: Record<string, (file: Buffer) => Buffer> = {
  'a selection of coefficients that a sequential scan cannot have': (file) =>
    patched(file, 0xda, 11, 1, 20, 0),
  'an unknown version of JFIF': (file) =>
    withSegment(file, 0xe0, Buffer.from('JFIF\0\0\0\0\0\x01\0\x01\0\0', 'latin1')),
  'two bytes that belong to no block': (file) =>
    Buffer.concat([file.subarray(0, -2), Buffer.from([1, 2, 0xff, 0xd9])]),
  'zeros behind the last block': (file) =>
    Buffer.concat([file.subarray(0, -2), Buffer.alloc(300), Buffer.from([0xff, 0xd9])]),
  'one value behind the last block': (file) =>
    Buffer.concat([file.subarray(0, -2), Buffer.alloc(99, 0x55), Buffer.from([0xff, 0xd9])]),
  'fill bytes before the end': (file) =>
    Buffer.concat([file.subarray(0, -2), Buffer.alloc(9, 0xff), Buffer.from([0xff, 0xd9])]),
  'other data behind the end': (file) => Buffer.concat([file, noise(5000)]),
  'no tables of codes': withoutTables,
  'an application segment of nothing': (file) => withSegment(file, 0xed, Buffer.alloc(0)),
};

t.test('oddities that cameras write change no pixel', async (t) => {
  const random = createRandom(2, 'odd');
  for (const [name, change] of Object.entries(oddities))
    for (let i = 0; i < 3; i++) {
      const plain = await photo(random, sequential);
      // Three components, as the patched scan has.
      if ((await sharp(plain).metadata()).channels !== 3) continue;
      for (const contract of [thumbnail, digit, { ...thumbnail, width: 100, height: 100 }]) {
        const [expected, got] = [
          await decodeImage(plain, contract, limits),
          await decodeImage(change(plain), contract, limits),
        ];
        if (!Buffer.from(got.data).equals(expected.data)) t.fail(`${name}, photo ${i}`);
      }
    }
});

const damages: Record<string, (file: Buffer, random: Random) => Buffer> = {
  'cut off': (file, random) => file.subarray(0, scanOf(file) + random.below(file.length - scanOf(file) - 2)),
  'cut off, and ended': (file, random) =>
    Buffer.concat([
      file.subarray(0, scanOf(file) + Math.floor((0.2 + 0.6 * random.next()) * (file.length - scanOf(file)))),
      Buffer.from([0xff, 0xd9]),
    ]),
  'without an end': (file) => file.subarray(0, -2),
  'without its first bytes': (file) =>
    Buffer.concat([file.subarray(0, scanOf(file)), file.subarray(scanOf(file) + 200)]),
};

function scanOf(file: Buffer): number {
  return file.indexOf(Buffer.from([0xff, 0xda])) + 14;
}

t.test('damaged JPEGs are refused by every model', async (t) => {
  const random = createRandom(3, 'damaged');
  for (const [name, change] of Object.entries(damages))
    for (let i = 0; i < 6; i++) {
      const file = change(
        await photo(random, { quality: 90, progressive: i % 2 === 0, optimiseScans: i % 4 === 0 }),
        random,
      );
      for (const contract of [thumbnail, digit])
        await t.rejects(decodeImage(file, contract, limits), UndecodableImageError, `${name}, photo ${i}`);
    }
});

t.test('images that fail at the same time get their own reasons', async (t) => {
  const random = createRandom(4, 'reasons');
  const whole = png(40, 30, 3, noise(40 * 30 * 3));
  const wrong = Buffer.from(whole);
  wrong.set([1, 2, 3, 4], wrong.length - 20);
  const webp = (
    await sharp(noise(48 * 48), { raw: { width: 48, height: 48, channels: 1 } })
      .webp()
      .toBuffer()
  ).subarray(0, -30);
  const files: [file: Buffer, reason: RegExp][] = [
    [wrong, /^The png image can't be decoded: the checksum of the chunk IDAT at byte 33 is wrong$/],
    [whole.subarray(0, -30), /^The png image can't be decoded: it ends inside the chunk IDAT at byte 33$/],
    [webp, /^The webp image can't be decoded: it has \d+ bytes and announces \d+$/],
    [
      (await photo(random, sequential)).subarray(0, -2),
      /^The jpeg image can't be decoded: it ends without an end marker$/,
    ],
  ];
  const all = Array.from({ length: 40 }, (_, i) => files[i % files.length] as (typeof files)[0]);
  await Promise.all(
    all.map(([file, message]) => t.rejects(decodeImage(file, thumbnail, limits), { message })),
  );
});

t.test('extreme shapes give pixels for every contract', async (t) => {
  for (const [width, height] of [
    [65_535, 1],
    [1, 65_535],
    [40_000, 3],
    [3, 40_000],
    [1, 1],
    [2, 1],
    [1, 25],
  ] as const)
    for (const format of ['png', 'jpeg', 'gif'] as const) {
      if (format === 'jpeg' && Math.max(width, height) > 65_500) continue;
      const file = await sharp({ create: { width, height, channels: 3, background: '#963' } })
        [format]()
        .toBuffer();
      for (const contract of [
        thumbnail,
        digit,
        { ...thumbnail, fit: 'cover' as const },
        { ...digit, fit: 'contain' as const },
      ]) {
        const { data } = await decodeImage(file, contract, limits);
        t.equal(data.length, contract.width * contract.height * (contract.channels === 'gray' ? 1 : 3));
      }
    }
});
