// Headers of images of all kinds and forms, complete and truncated, compared with the results of sharp.
import sharp from 'sharp';
import t from 'tap';
import { EmptyImageError, UnsupportedTypeError } from '../../../src/inference/errors.js';
import { readHeader } from '../../../src/inference/image/header.js';
import type { ImageHeader } from '../../../src/inference/image/header-types.js';
import { mutate, seeded } from '../../helpers/mutate.js';

const photo = sharp({
  create: {
    width: 61,
    height: 43,
    channels: 3,
    background: 'white',
    noise: { type: 'gaussian', mean: 120, sigma: 60 },
  },
});
const raw = await photo.raw().toBuffer();
const noise = () => sharp(raw, { raw: { width: 61, height: 43, channels: 3 } });

const files: Record<string, { file: Buffer; wanted: Partial<ImageHeader> }> = {
  'a PNG': {
    file: await noise().png().toBuffer(),
    wanted: { kind: 'png', channels: 3, sampleBytes: 1, buffered: false, passes: 1 },
  },
  'an interlaced PNG': {
    file: await noise().png({ progressive: true }).toBuffer(),
    wanted: { buffered: true },
  },
  'a PNG with 16 bits and alpha': {
    file: await noise().ensureAlpha(0.5).toColourspace('rgb16').png().toBuffer(),
    wanted: { channels: 4, sampleBytes: 2, buffered: false },
  },
  'a gray PNG': { file: await noise().toColourspace('b-w').png().toBuffer(), wanted: { channels: 1 } },
  'a JPEG': {
    file: await noise().jpeg().toBuffer(),
    wanted: { kind: 'jpeg', channels: 3, buffered: false, passes: 1 },
  },
  'a progressive JPEG': {
    file: await noise().jpeg({ progressive: true }).toBuffer(),
    wanted: { buffered: true },
  },
  'a gray JPEG': { file: await noise().toColourspace('b-w').jpeg().toBuffer(), wanted: { channels: 1 } },
  'a lossy WebP': {
    file: await noise().webp().toBuffer(),
    wanted: { kind: 'webp', buffered: true, passes: 1 },
  },
  'a lossless WebP': { file: await noise().webp({ lossless: true }).toBuffer(), wanted: { passes: 1 } },
  'a WebP with alpha': { file: await noise().ensureAlpha(0.5).webp().toBuffer(), wanted: { channels: 4 } },
  'a GIF': { file: await noise().gif().toBuffer(), wanted: { kind: 'gif', passes: 1 } },
};

for (const [name, { file, wanted }] of Object.entries(files))
  t.test(`${name}: size, form and parts equal those of sharp`, async (t) => {
    const { width, height } = await sharp(file).metadata();
    t.match(readHeader(file), { width, height, parts: Number, ...wanted });
  });

t.test('the scans of a progressive JPEG and the frames of animations are counted', async (t) => {
  const progressive = readHeader(files['a progressive JPEG']?.file ?? Buffer.alloc(0));
  t.match(progressive, { passes: 10 }, "libjpeg's own script for colour has ten scans");
  const frames = Buffer.concat([raw, raw.toReversed(), raw]);
  const animation = sharp(frames, { raw: { width: 61, height: 3 * 43, channels: 3, pageHeight: 43 } });
  for (const file of [await animation.clone().webp().toBuffer(), await animation.clone().gif().toBuffer()])
    t.match(readHeader(file), { width: 61, height: 43, passes: 3 });
});

t.test('a truncated file gives a header or is reported as damaged, and never throws', async (t) => {
  for (const [name, { file }] of Object.entries(files)) {
    const { width, height } = await sharp(file).metadata();
    for (let length = 12; length < Math.min(file.length, 700); length++) {
      const header = readHeader(file.subarray(0, length));
      if (!('damaged' in header) && (header.width !== width || header.height !== height))
        t.fail(`${name}, ${length} bytes: ${header.width} x ${header.height}`);
    }
  }
  t.throws(() => readHeader(Buffer.alloc(0)), EmptyImageError);
  t.throws(() => readHeader(Buffer.from('<svg/>')), UnsupportedTypeError);
});

t.test('mutated files never throw, and never have more parts than bytes', async (t) => {
  const random = seeded(7);
  for (const { file } of Object.values(files))
    for (let round = 0; round < 200; round++) {
      const broken = Buffer.concat([file.subarray(0, 12), mutate(file.subarray(12), random)]);
      const header = readHeader(broken);
      if (!('damaged' in header) && header.parts > broken.length) t.fail('more parts than bytes');
    }
  const fill = Buffer.concat([Buffer.from('\xff\xd8\xff', 'latin1'), Buffer.alloc(10_000_000, 0xff)]);
  t.match(readHeader(fill), { damaged: String }, 'ten megabytes of fill bytes');
});
