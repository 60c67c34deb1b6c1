// Images of every kind, valid and hostile → their pixels or their error.
import t from 'tap';
import {
  EmptyImageError,
  TooManyPixelsError,
  UndecodableImageError,
  UnsupportedTypeError,
} from '../../../src/inference/errors.js';
import type { InputContract } from '../../../src/inference/image/contract.js';
import { decodeImage } from '../../../src/inference/image/decode.js';
import { imageKind } from '../../../src/inference/image/kinds.js';
import {
  animatedGif,
  gif,
  hollowPng,
  jpeg,
  noise,
  png,
  solidPng,
  svg,
  tiff,
  truncatedPng,
  webp,
} from '../../helpers/images.js';

const gray: InputContract = {
  width: 28,
  height: 28,
  channels: 'gray',
  fit: 'contain',
  kernel: 'linear',
  scale: 1 / 255,
  mean: [0],
  std: [1],
};
const rgb: InputContract = { ...gray, channels: 'rgb', mean: [0, 0, 0], std: [1, 1, 1] };
const limits = { maxPixels: 10_000 };

t.test('a gray PNG of the requested size keeps every value', async (t) => {
  const pixels = noise(28 * 28);
  const decoded = await decodeImage(png(28, 28, 1, pixels), gray, limits);
  t.match(decoded, { width: 28, height: 28, channels: 1 });
  t.same([...decoded.data], [...pixels]);
});

t.test('an rgb PNG of the requested size keeps every value, and so does gray converted to rgb', async (t) => {
  const pixels = noise(28 * 28 * 3);
  t.same([...(await decodeImage(png(28, 28, 3, pixels), rgb, limits)).data], [...pixels]);
  const values = noise(28 * 28);
  const tripled = [...values].flatMap((value) => [value, value, value]);
  t.same([...(await decodeImage(png(28, 28, 1, values), rgb, limits)).data], tripled);
  t.same([...(await decodeImage(png(28, 28, 3, Uint8Array.from(tripled)), gray, limits)).data], [...values]);
});

t.test('transparent pixels become white', async (t) => {
  const clear = await decodeImage(png(28, 28, 4, new Uint8Array(28 * 28 * 4)), rgb, limits);
  t.ok(clear.data.every((value) => value === 255));
  const grayClear = await decodeImage(png(28, 28, 2, new Uint8Array(28 * 28 * 2)), gray, limits);
  t.ok(grayClear.data.every((value) => value === 255));
});

t.test('JPEG, WebP and PNG are detected from their bytes and decoded', async (t) => {
  for (const [kind, bytes] of [
    ['jpeg', await jpeg(40, 40, 90)],
    ['webp', await webp(40, 40, 90)],
    ['png', solidPng(40, 40, 90)],
  ] as const) {
    t.equal(imageKind(bytes), kind);
    const { data } = await decodeImage(bytes, gray, limits);
    t.equal(data.length, 28 * 28);
    t.ok(
      data.every((value) => Math.abs(value - 90) <= 1),
      kind,
    );
  }
});

t.test('a GIF gives its first frame', async (t) => {
  t.equal(imageKind(gif()), 'gif');
  const { data } = await decodeImage(animatedGif(), rgb, limits);
  t.ok(
    data.every((value) => value === 0),
    'the second one is white',
  );
});

t.test('contain pads a wide image with black at top and bottom', async (t) => {
  const { data } = await decodeImage(solidPng(56, 28, 200), gray, limits);
  t.equal(data[0], 0);
  t.equal(data[14 * 28], 200);
  t.equal(data.at(-1), 0);
});

t.test('fill stretches and cover crops, without padding', async (t) => {
  for (const fit of ['fill', 'cover'] as const) {
    const { data } = await decodeImage(solidPng(56, 28, 200), { ...gray, fit }, limits);
    t.ok(
      data.every((value) => value === 200),
      fit,
    );
  }
});

t.test('EXIF orientation is applied before the image is fitted', async (t) => {
  const { data } = await decodeImage(await jpeg(56, 28, 200, 6), gray, limits);
  t.equal(data[0], 0, 'the turned image is tall: black at the left');
  t.equal(data[14], 200, 'and it reaches the top');
});

t.test('zero bytes are an empty image', async (t) => {
  await t.rejects(decodeImage(new Uint8Array(), gray, limits), EmptyImageError);
});

t.test('SVG, TIFF, text and two bytes of a JPEG are unsupported, whatever their name', async (t) => {
  for (const bytes of [svg(), tiff(), Buffer.from('not an image'), Buffer.from([0xff, 0xd8])])
    await t.rejects(decodeImage(bytes, gray, limits), UnsupportedTypeError);
});

t.test('SVG after the signature of a PNG is undecodable: no other loader is tried', async (t) => {
  const disguised = Buffer.concat([solidPng(1, 1, 0).subarray(0, 8), svg()]);
  await t.rejects(decodeImage(disguised, gray, limits), UndecodableImageError);
});

t.test('truncated images are undecodable', async (t) => {
  const photo = await jpeg(100, 100, 90);
  const pictures = [truncatedPng(), photo.subarray(0, photo.length - 30), hollowPng(28, 28)];
  for (const bytes of pictures) await t.rejects(decodeImage(bytes, gray, limits), UndecodableImageError);
});

t.test('more pixels than allowed are refused from the header, with size and limit', async (t) => {
  await t.rejects(decodeImage(hollowPng(30_000, 20_000), gray, limits), {
    constructor: TooManyPixelsError,
    message: 'The image has 30000 x 20000 = 600000000 pixels, allowed are 10000',
  });
  await t.rejects(decodeImage(solidPng(101, 100, 0), gray, limits), TooManyPixelsError);
  t.ok(await decodeImage(solidPng(100, 100, 0), gray, limits), 'exactly the limit is allowed');
});
