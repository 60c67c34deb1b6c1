// Lossless WebPs, of libwebp and made to harm → the groups of prefix codes that a decoder builds.
import sharp from 'sharp';
import t from 'tap';
import { webpOfCodes } from '../../../scripts/attack/images/webp.js';
import { countCodeGroups } from '../../../src/inference/image/webp-codes.js';
import { checkCodeGroups } from '../../../src/inference/image/webp-streams.js';
import { mutate, seeded } from '../../helpers/mutate.js';

function countOf(file: Buffer): number {
  const at = file.indexOf('VP8L') + 8;
  const packed = file.readUInt32LE(at + 1);
  return countCodeGroups(file.subarray(at + 5), (packed & 0x3fff) + 1, ((packed >>> 14) & 0x3fff) + 1);
}

/** Parts of different kinds, so that an encoder gains from groups of their own. */
function patches(width: number, height: number, seed: number): Buffer {
  const random = seeded(seed);
  const pixels = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const part = ((x >> 5) + 3 * (y >> 5)) % 5;
      for (let c = 0; c < 3; c++)
        pixels[(y * width + x) * 3 + c] =
          part < 2 ? x * (c + 1) + y : part === 2 ? 40 * c : random() * 256 * (part - 2);
    }
  return pixels;
}

t.test('every lossless WebP of libwebp is read to the image that chooses the groups', async (t) => {
  const counts = new Set<number>();
  const efforts = [0, 3, 6];
  for (const [width, height, itsEfforts] of [
    [1, 1, efforts],
    [7, 300, efforts],
    [128, 128, efforts],
    // The highest effort takes a second per image, and makes groups of the same kinds.
    [401, 300, [0, 3]],
  ] as const)
    for (const effort of itsEfforts) {
      const raw = { width, height, channels: 3 } as const;
      const image = sharp(patches(width, height, effort + 1), { raw });
      for (const form of [image.clone(), image.clone().ensureAlpha(0.5), image.clone().threshold()])
        counts.add(countOf(await form.webp({ lossless: true, effort }).toBuffer()));
    }
  t.same([...counts].sort(), [1, 2, 3]);
});

t.test('the groups of an image that was made to harm are counted exactly', async (t) => {
  for (const groups of [2, 500, 1000, 1001, 3000, 65_536]) t.equal(countOf(webpOfCodes(groups)), groups);
  t.doesNotThrow(() => checkCodeGroups(webpOfCodes(3000)));
  t.throws(() => checkCodeGroups(webpOfCodes(3001)), {
    name: 'TooComplexError',
    message: 'The webp image has 3001 groups of prefix codes, allowed are 3000',
  });
});

t.test('the losslessly packed alpha of a lossy image counts, too', async (t) => {
  const raw = { width: 256, height: 256, channels: 4 } as const;
  const pixels = Buffer.concat(
    Array.from({ length: 256 * 256 }, (_, i) => Buffer.from([i, i >> 4, i >> 8, (i * 37) >> 3])),
  );
  const file = await sharp(pixels, { raw }).webp({ quality: 50, alphaQuality: 100 }).toBuffer();
  t.ok(file.includes('ALPH'));
  t.doesNotThrow(() => checkCodeGroups(file));
  t.equal((file[file.indexOf('ALPH') + 8] ?? 0) & 3, 1, 'it is packed');
});

t.test('a mutated file is counted or refused as damaged, and libwebp refuses what is refused', async (t) => {
  const raw = { width: 96, height: 96, channels: 3 } as const;
  const file = await sharp(patches(96, 96, 5), { raw })
    .webp({ lossless: true })
    .toBuffer();
  const random = seeded(7);
  let refused = 0;
  for (let i = 0; i < 300; i++) {
    const damaged = mutate(file, random);
    if (damaged.toString('latin1', 12, 16) !== 'VP8L') continue;
    try {
      checkCodeGroups(damaged);
    } catch (error) {
      refused++;
      t.match(error, { name: /^(UndecodableImageError|TooComplexError)$/ });
      await t.rejects(sharp(damaged, { failOn: 'error' }).raw().toBuffer(), `mutation ${i}`);
    }
  }
  t.ok(refused > 20, `${refused} refused`);
});
