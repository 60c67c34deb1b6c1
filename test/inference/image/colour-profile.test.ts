// Images with an embedded ICC profile → the same pixels as libvips' own conversion to sRGB.
import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import t from 'tap';
import { isSrgbProfile } from '../../../src/inference/image/colour-profile.js';
import type { InputContract } from '../../../src/inference/image/contract.js';
import { decodeImage } from '../../../src/inference/image/decode.js';
import { grayInput } from '../../helpers/fixture-model.js';
import { noise, png } from '../../helpers/images.js';
import { mutate, seeded } from '../../helpers/mutate.js';

const side = 96;
const input: InputContract = {
  ...grayInput,
  width: side,
  height: side,
  channels: 'rgb',
  mean: [0, 0, 0],
  std: [1, 1, 1],
};
const limits = { maxPixels: side * side };
const pixels = noise(side * side * 3);

/** The profile that most programs embed: 3,144 bytes, curves of 1,024 points. */
const tables = await profileOf(readFileSync('imgs/cats-vs-dogs/cat-1.png'));
/** The profile of libvips, with curves as formulas. */
const formulas = await libvipsProfile('srgb');
const displayP3 = await libvipsProfile('p3');

async function libvipsProfile(name: string): Promise<Buffer> {
  return await profileOf(
    await sharp(png(1, 1, 3, noise(3)))
      .withIccProfile(name)
      .png()
      .toBuffer(),
  );
}

async function profileOf(image: Buffer): Promise<Buffer> {
  const { icc } = await sharp(image).metadata();
  if (!icc) throw new Error('The image has no profile');
  return icc;
}

async function decode(image: Buffer): Promise<Uint8Array> {
  return (await decodeImage(image, input, limits)).data;
}

async function convertedByLibvips(image: Buffer): Promise<Buffer> {
  return await sharp(image).toColourspace('srgb').raw().toBuffer();
}

for (const [name, profile] of Object.entries({ tables, formulas }))
  t.test(
    `sRGB as ${name} is recognised, and its pixels are kept, like libvips except for rounding`,
    async (t) => {
      t.ok(isSrgbProfile(profile));
      const image = png(side, side, 3, pixels, profile);
      t.same(Buffer.from(await decode(image)), Buffer.from(pixels));
      const converted = await convertedByLibvips(image);
      const moves = pixels.map((value, i) => Math.abs(value - (converted[i] as number)));
      t.ok(Math.max(...moves) <= 1);
      t.ok(moves.filter((move) => move > 0).length < moves.length / 100);
    },
  );

t.test('Display P3 is converted in PNG, JPEG and WebP', async (t) => {
  t.notOk(isSrgbProfile(displayP3));
  const image = png(side, side, 3, pixels, displayP3);
  t.not(Buffer.compare(await convertedByLibvips(image), pixels), 0);
  const flat = sharp({ create: { width: side, height: side, channels: 3, background: '#c02080' } });
  const others = await Promise.all(
    (['jpeg', 'webp'] as const).map((format) =>
      flat.clone().withIccProfile('p3').toFormat(format).toBuffer(),
    ),
  );
  for (const file of [image, ...others])
    t.same(Buffer.from(await decode(file)), await convertedByLibvips(file));
});

t.test('a profile with another curve or primary is not sRGB, whatever its name', async (t) => {
  for (const [name, profile] of Object.entries({ tables, formulas })) {
    const red = Buffer.from(profile);
    const at = tagOffset(red, 'rXYZ') + 8;
    red.writeInt32BE(red.readInt32BE(at) + 0.01 * 65_536, at);
    t.notOk(isSrgbProfile(red), `${name}, another red`);

    const curve = Buffer.from(profile);
    const middle = tagOffset(curve, 'gTRC') + (name === 'tables' ? 12 + 2 * 513 : 12);
    if (name === 'tables') curve.writeUInt16BE(curve.readUInt16BE(middle) + 2000, middle);
    else curve.writeInt32BE(2.2 * 65_536, middle);
    t.notOk(isSrgbProfile(curve), `${name}, another curve`);

    const lookup = Buffer.from(profile);
    lookup.write('A2B0', tagEntry(lookup, 'cprt'), 'latin1');
    t.notOk(isSrgbProfile(lookup), `${name}, with a table from device to connection space`);
  }
});

t.test('no damaged profile throws', async (t) => {
  t.notOk(isSrgbProfile(new Uint8Array()));
  for (let length = 0; length < formulas.length; length++) isSrgbProfile(formulas.subarray(0, length));
  const random = seeded(5);
  let known = 0;
  for (let round = 0; round < 2000; round++)
    if (isSrgbProfile(mutate(round % 2 ? tables : formulas, random))) known++;
  t.ok(known > 0 && known < 2000, 'some damage is to the text alone, some is not');
});

/** Returns the offset of the named entry in the table of tags. */
function tagEntry(profile: Buffer, name: string): number {
  for (let i = 0; i < profile.readUInt32BE(128); i++)
    if (profile.toString('latin1', 132 + 12 * i, 136 + 12 * i) === name) return 132 + 12 * i;
  throw new Error(`The profile has no ${name}`);
}

function tagOffset(profile: Buffer, name: string): number {
  return profile.readUInt32BE(tagEntry(profile, name) + 4);
}
