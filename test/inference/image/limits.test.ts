// Uploads → admitted with the memory that decoding takes, or refused from their header alone.
import sharp from 'sharp';
import t from 'tap';
import { flatGif } from '../../../scripts/attack/images/gif.js';
import { flatJpeg } from '../../../scripts/attack/images/jpeg.js';
import { jpegOfScans, jpegOfSegments } from '../../../scripts/attack/images/jpeg-floods.js';
import { flatPng, pngOfEmptyChunks } from '../../../scripts/attack/images/png.js';
import { animatedWebp, flatWebp } from '../../../scripts/attack/images/webp.js';
import { admitImage } from '../../../src/inference/image/limits.js';

const maxPixels = 25_000_000;
const side = 5000;
const admit = (bytes: Uint8Array, maxDecodeBytes?: number) =>
  admitImage(bytes, { maxPixels, maxDecodeBytes });
const large = { width: side, height: side };

t.test(
  'an image that is decoded row by row costs little, one that is held whole as much as it has',
  async (t) => {
    const costs = {
      sequential: admit(flatJpeg(large)),
      progressive: admit(flatJpeg({ ...large, progressive: true })),
      subsampled: admit(flatJpeg({ ...large, progressive: true, sampling: '4:2:0' })),
      inThreeScans: admit(flatJpeg({ ...large, apart: true })),
      png: admit(flatPng(large)),
      interlaced: admit(flatPng({ ...large, interlaced: true })),
      deep: admit(flatPng({ ...large, colour: 'rgba', bits: 16, interlaced: true })),
      gif: admit(flatGif(large)),
      webp: admit(flatWebp(large)),
    };
    // In megabytes. What the decoders held was measured: docs/decisions/decoding-memory.md.
    const measured = {
      sequential: 2,
      progressive: 145,
      subsampled: 74,
      inThreeScans: 145,
      png: 14,
      interlaced: 78,
      deep: 204,
      gif: 109,
      webp: 96,
    };
    for (const [name, cost] of Object.entries(costs)) {
      const least = measured[name as keyof typeof measured] * 2 ** 20;
      t.ok(cost >= least && cost <= least + 120e6, `${name}: ${Math.round(cost / 1e6)} MB`);
    }
  },
);

t.test('a small image costs a megabyte or two', async (t) => {
  const image = { create: { width: 32, height: 32, channels: 3, background: 'red' } } as const;
  for (const kind of ['png', 'jpeg', 'gif'] as const)
    t.ok(admit(await sharp(image).toFormat(kind).toBuffer()) < 2e6, kind);
});

const refused: [name: string, make: () => Buffer | Promise<Buffer>, error: string, message: RegExp][] = [
  [
    'more pixels than allowed',
    () => flatPng({ width: 5001, height: side }),
    'TooManyPixelsError',
    /25005000/,
  ],
  ['a side of a million', () => flatPng({ width: 1_000_000, height: 1 }), 'TooManyPixelsError', /65535/],
  ['a million rows', () => flatPng({ width: 1, height: 1_000_000 }), 'TooManyPixelsError', /65535/],
  [
    'scans without end',
    () => jpegOfScans({ width: 512, height: 512, scans: 140_000 }),
    'TooComplexError',
    /^The jpeg image has \d+ blocks in all its scans, allowed are 50000000$/,
  ],
  ['many segments', () => jpegOfSegments(1001), 'TooComplexError', /1001 application segments/],
  ['many texts', () => pngOfEmptyChunks(1001, 'tEXt'), 'TooComplexError', /1001 texts, allowed are 1000/],
  [
    'many frames',
    () => animatedWebp({ width: 1, height: 1, frames: 5001 }),
    'TooComplexError',
    /5001 frames/,
  ],
  ['a header that ends early', () => flatPng(large).subarray(0, 20), 'UndecodableImageError', /ends early/],
];
for (const [name, make, error, message] of refused)
  t.test(`an upload with ${name} is refused`, async (t) => {
    const file = await make();
    t.throws(() => admit(file), { name: error, message });
  });

t.test('what needs more memory than there is for all names both, and the remedy', async (t) => {
  t.throws(() => admit(flatJpeg({ ...large, progressive: true }), 100e6), {
    name: 'TooComplexError',
    message:
      'Decoding the jpeg image would take 185 MB, allowed are 100: send a smaller one, or one that is not progressive',
  });
});

t.test('the usual forms of photos stay far below each limit', async (t) => {
  const photo = sharp({ create: { width: 4032, height: 3024, channels: 3, background: 'gray' } });
  for (const file of [
    await photo.clone().jpeg().toBuffer(),
    await photo.clone().jpeg({ progressive: true }).withMetadata().toBuffer(),
    await photo.clone().webp().toBuffer(),
  ])
    t.ok(admit(file, 160e6) > 0);
});
