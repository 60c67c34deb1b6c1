// Images of digits in every ink and position → their pixels after the contract's polarity and centre rules.
import t from 'tap';
import type { InputContract } from '../../../src/inference/image/contract.js';
import { decodeImage } from '../../../src/inference/image/decode.js';
import {
  applyDigitRules,
  applyDigitRulesToPixels,
  isCentred,
  isDarkOnLight,
} from '../../../src/inference/image/digits.js';
import type { GrayImage } from '../../../src/inference/image/gray-image.js';
import { loadDataset } from '../../../src/toolkit/datasets/load.js';
import { exists } from '../../../src/toolkit/files.js';
import { boxOf, drawSeven, massCentre, meanDifference } from '../../helpers/digit-pictures.js';
import { noise, png, solidPng } from '../../helpers/images.js';

const plain: InputContract = {
  width: 28,
  height: 28,
  channels: 'gray',
  fit: 'contain',
  kernel: 'linear',
  scale: 1 / 255,
  mean: [0],
  std: [1],
};
const input: InputContract = { ...plain, polarity: 'auto', centre: { box: 20 } };
const limits = { maxPixels: 1_000_000 };

/** The seven after the steps of MNIST's authors. */
const reference = applyDigitRules(
  drawSeven({ width: 280, height: 300, left: 50, top: 40, size: 200 }),
  input,
);

const decode = async ({ width, height, data }: GrayImage, contract = input): Promise<Uint8Array> =>
  Uint8Array.from((await decodeImage(png(width, height, 1, data), contract, limits)).data);

/** A digit is surrounded by black, so that nothing wraps to the other side. */
const shifted = (pixels: Uint8Array, by: number) =>
  pixels.map((_, i) => pixels.at((i + by) % pixels.length) ?? 0);

const negative = ({ width, height, data }: GrayImage): GrayImage => ({
  width,
  height,
  data: data.map((value) => 255 - value),
});

t.test('a digit fills a box of 20 in one direction, and its centre of mass is in the middle', async (t) => {
  for (const [left, top, size] of [
    [5, 8, 60],
    [100, 20, 90],
    [30, 120, 40],
  ] as const) {
    const made = await decode(drawSeven({ width: 180, height: 170, left, top, size }));
    const image = { width: 28, height: 28, data: made };
    t.equal(boxOf(image, 100).height, 20, `${size} pixels high at ${left}, ${top}`);
    const [x, y] = massCentre(image);
    t.ok(Math.abs(x - 14) <= 0.51 && Math.abs(y - 14) <= 0.51, `${x}, ${y}`);
    t.ok(meanDifference(made, reference.data) < 1.5, 'and looks like the large one');
  }
});

t.test('a wide digit keeps its proportions', async (t) => {
  const width = 120;
  const data = new Uint8Array(width * 60).map((_, i) =>
    i % width >= 20 && i % width < 100 && Math.floor(i / width) >= 20 && Math.floor(i / width) < 40 ? 255 : 0,
  );
  const made = { width: 28, height: 28, data: await decode({ width, height: 60, data }) };
  t.same(boxOf(made), { width: 20, height: 5 });
});

t.test('dark ink on light paper gives the same image as light ink on black', async (t) => {
  const drawn = drawSeven({ width: 90, height: 120, left: 20, top: 30, size: 70 });
  t.notOk(isDarkOnLight(drawn));
  t.ok(isDarkOnLight(negative(drawn)));
  t.same(await decode(negative(drawn)), await decode(drawn));
  const gray = drawSeven({
    width: 90,
    height: 120,
    left: 20,
    top: 30,
    size: 70,
    ground: () => 120,
    ink: () => 40,
  });
  t.ok(isDarkOnLight(gray), 'light is what is lighter than the ink, not what is lighter than grey');
  t.ok(meanDifference(await decode(gray), await decode(drawn)) < 2);
});

t.test('as-is keeps the polarity of the upload', async (t) => {
  const dark = negative(drawSeven({ width: 28, height: 28, left: 6, top: 4, size: 20 }));
  t.same(await decode(dark, { ...plain, polarity: 'as-is' }), dark.data);
  t.same(await decode(dark, { ...plain, polarity: 'auto' }), negative(dark).data);
});

t.test('polarity without centre is detected before padding', async (t) => {
  const dark = drawSeven({
    width: 60,
    height: 20,
    left: 20,
    top: 2,
    size: 16,
    ground: () => 250,
    ink: () => 10,
  });
  const made = await decode(dark, { ...plain, polarity: 'auto' });
  t.equal(made[0], 0, 'the padding');
  t.ok(Math.abs((made[14 * 28] ?? 0) - 5) <= 1, 'the paper');
});

t.test('uneven light, dark corners and noise do not remove the digit', async (t) => {
  const grain = noise(200 * 160, 3);
  const light = (x: number, y: number) =>
    (220 - 0.5 * x) * (1 - ((x - 100) ** 2 + (y - 80) ** 2) / 90_000) +
    ((grain[y * 200 + x] ?? 0) - 128) / 20;
  const photo = drawSeven({
    width: 200,
    height: 160,
    left: 90,
    top: 50,
    size: 80,
    ground: light,
    ink: (x, y) => 0.3 * light(x, y),
  });
  t.ok(meanDifference(await decode(photo), reference.data) < 2);
});

t.test('specks far from the digit do not move it', async (t) => {
  const clean = drawSeven({ width: 150, height: 150, left: 60, top: 50, size: 60 });
  const dusty = { ...clean, data: clean.data.slice() };
  for (const i of [0, 149, 150 * 149, 150 * 75 + 3, 151]) dusty.data[i] = 255;
  t.same(await decode(dusty), await decode(clean));
});

t.test('an image from the dataset keeps every value, and so does its negative', async (t) => {
  const [image, dark] = [reference, negative(reference)];
  t.ok(isCentred(image, input));
  t.same(await decode(image), image.data);
  t.same(await decode(dark), image.data);
  t.equal(applyDigitRulesToPixels(image.data, input), image.data, 'not even a copy');
  t.same(applyDigitRulesToPixels(dark.data, input), image.data);
});

t.test('an off-centre or small digit in an image of the requested size is centred', async (t) => {
  const off = drawSeven({ width: 28, height: 28, left: 0, top: 0, size: 12 });
  t.notOk(isCentred(off, input));
  t.ok(meanDifference(await decode(off), reference.data) < 10);
});

t.test('contracts without digit rules change nothing', async (t) => {
  const pixels = noise(28 * 28);
  t.equal(applyDigitRulesToPixels(pixels, plain), pixels);
  t.same(await decode({ width: 28, height: 28, data: pixels }, plain), pixels);
});

t.test(
  'an image without ink becomes black, whatever its colour, and the smallest and fullest images do not throw',
  async (t) => {
    const black = new Uint8Array(28 * 28);
    for (const value of [0, 100, 255])
      for (const [width, height] of [
        [28, 28],
        [1, 1],
        [300, 200],
        [2, 90],
      ] as const)
        t.same(
          Uint8Array.from((await decodeImage(solidPng(width, height, value), input, limits)).data),
          black,
        );
    const grainy = noise(100 * 100).map((value) => 240 + value / 20);
    t.same(await decode({ width: 100, height: 100, data: grainy }), black, 'paper with grain');
    for (const [width, height] of [
      [2, 1],
      [1, 9],
      [3, 3],
      [400, 2],
    ] as const) {
      const made = await decode({ width, height, data: noise(width * height) });
      t.equal(made.length, 28 * 28);
    }
  },
);

t.test('every image of MNIST stays unchanged', async (t) => {
  if (!(await exists('data/mnist/dataset.json'))) return t.comment('skipped: quati dataset prepare mnist');
  const { train, test } = await loadDataset('data/mnist');
  for (const { images, count } of [train, test]) {
    let changed = 0;
    for (let i = 0; i < count; i++) {
      const pixels = images.subarray(i * 784, (i + 1) * 784);
      if (applyDigitRulesToPixels(pixels, input, { needsInk: true }) !== pixels) changed++;
      // Without centre the search for ink decides, in a millisecond. It throws if it finds none.
      if (i % 10 === 0) applyDigitRulesToPixels(pixels, { ...plain, polarity: 'auto' }, { needsInk: true });
    }
    t.equal(changed, 0, `of ${count}`);
  }
});

t.test('MNIST digits on a larger canvas are restored exactly', async (t) => {
  if (!(await exists('data/mnist/dataset.json'))) return t.comment('skipped: quati dataset prepare mnist');
  const { test } = await loadDataset('data/mnist');
  const differences: number[] = [];
  for (let i = 0; i < 200; i++) {
    const digit = test.images.subarray(i * 784, (i + 1) * 784);
    const data = new Uint8Array(100 * 90);
    for (let row = 0; row < 28; row++)
      data.set(digit.subarray(row * 28, (row + 1) * 28), (row + 50) * 100 + 60);
    const { data: made } = applyDigitRules({ width: 100, height: 90, data }, input);
    const shifts = [-29, -28, -27, -1, 0, 1, 27, 28, 29];
    differences.push(Math.min(...shifts.map((by) => meanDifference(made, shifted(digit, by)))));
  }
  differences.sort((a, b) => a - b);
  t.ok((differences[100] ?? 255) < 1, 'half of them to less than a grey level');
  t.ok((differences[190] ?? 255) < 2, 'all but one in twenty to less than two');
  t.ok((differences[199] ?? 255) < 20, 'and none is another digit');
});
