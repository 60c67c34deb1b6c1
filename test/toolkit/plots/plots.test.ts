// Histories and predictions → SVG and PNG, the same every time; and the pages of a run in docs/results.
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { decodeImage } from '../../../src/inference/image/decode.js';
import { PlotError } from '../../../src/toolkit/plots/errors.js';
import { lacksLetters } from '../../../src/toolkit/plots/font.js';
import { historySpec, readHistory } from '../../../src/toolkit/plots/history.js';
import { predictionsSpec } from '../../../src/toolkit/plots/predictions.js';
import { specToSvg, svgToPng } from '../../../src/toolkit/plots/render.js';
import type { EpochRecord } from '../../../src/toolkit/training/run/history.js';
import { grayInput } from '../../helpers/fixture-model.js';
import { solidPng } from '../../helpers/images.js';

const history: EpochRecord[] = [0.5, 0.2, 0.1].map((loss, i) => ({
  epoch: i + 1,
  loss,
  accuracy: 1 - loss / 2,
  valLoss: loss + 0.05,
  valAccuracy: 0.95 - loss / 2,
  learningRate: 0.001,
  seconds: 10,
  imagesPerSecond: 100,
}));

const withoutValidation: EpochRecord[] = history.map(
  ({ valLoss: _loss, valAccuracy: _accuracy, ...trained }) => trained,
);

t.test('a history gives two panels, each with a line for training and one for validation', async (t) => {
  const svg = await specToSvg(historySpec('net on data', history));
  for (const text of ['net on data', 'Loss', 'Accuracy', 'Epoch', 'training', 'validation'])
    t.match(svg, `>${text}<`);
  t.equal(svg.match(/mark-line/g)?.length, 4);
  const only = await specToSvg(historySpec('net on data', withoutValidation));
  t.equal(only.match(/mark-line/g)?.length, 2);
});

t.test('histories of one epoch and of none are drawn, too', async (t) => {
  for (const some of [history.slice(0, 1), []]) t.match(await specToSvg(historySpec('short', some)), '<svg');
});

t.test(
  'predictions are drawn with the true label; an incorrect one has a red frame and both names',
  async (t) => {
    const png = solidPng(28, 28, 100);
    const examples = [
      { png, truth: '7', answer: '7' },
      { png, truth: '4', answer: '9' },
    ];
    const svg = await specToSvg(predictionsSpec('answers', [{ heading: 'Two images', examples }]));
    for (const text of ['answers', 'Two images', '7', '9, is 4']) t.match(svg, `>${text}<`);
    t.equal(svg.match(/<image/g)?.length, 2);
    t.equal(svg.match(/stroke="#d62728"/g)?.length, 1);
    t.equal(svg.match(/stroke="#54a24b"/g)?.length, 1);
  },
);

t.test('a label of 200 characters is cut, and makes no picture wider than a label of 24', async (t) => {
  const widthOf = (truth: string) =>
    predictionsSpec('x', [{ heading: 'x', examples: [{ png: solidPng(4, 4, 0), truth, answer: truth }] }])
      .width;
  t.equal(widthOf('x'.repeat(200)), widthOf('x'.repeat(24)));
  const examples = [{ png: solidPng(4, 4, 0), truth: '<b> & co', answer: '🐱'.repeat(30) }];
  const svg = await specToSvg(predictionsSpec('x', [{ heading: 'x', examples }]));
  t.match(svg, `${'🐱'.repeat(23)}…<`);
  t.match(svg, 'is &lt;b&gt; &amp; co<');
});

t.test('only scripts that the font lacks need the fonts of the system', async (t) => {
  for (const label of ['Fußgänger & Co', 'кошка', 'γάτα', 'قطة', 'חתול', 'katt 🐱'])
    t.notOk(lacksLetters(label), label);
  for (const label of ['猫', 'ねこ', '고양이', 'แมว', 'बिल्ली']) t.ok(lacksLetters(label), label);
});

t.test('the PNG has the text in its own font, and is the same every time', async (t) => {
  const spec = historySpec('net on data', history);
  const [once, again] = [await svgToPng(await specToSvg(spec)), await svgToPng(await specToSvg(spec))];
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
  t.equal(sha256(once), sha256(again));
  const words = await inkOf('<text x="5" y="30" font-size="20">words</text>');
  t.ok(words > 0.02, `${words} of the picture is text`);
  t.equal(await inkOf(''), 0);
});

t.test('after rendering, SVG uploads are still refused', async (t) => {
  const svg = Buffer.from(await specToSvg(historySpec('net on data', history)));
  await svgToPng(svg.toString());
  await t.rejects(decodeImage(svg, grayInput, { maxPixels: 1e6 }), {
    message: /is SVG, not PNG, JPEG, WebP or GIF/,
  });
});

t.test('a missing or invalid history is an error that names the file', async (t) => {
  const run = t.testdir();
  const file = path.join(run, 'history.json');
  await t.rejects(readHistory(run), {
    constructor: PlotError,
    message: new RegExp(`^${file}: cannot be read`),
  });
  await writeFile(file, JSON.stringify([{ epoch: 1 }]));
  await t.rejects(readHistory(run), { constructor: PlotError, message: new RegExp(`^${file}: /0`) });
  await writeFile(file, JSON.stringify(history));
  t.same(await readHistory(run), JSON.parse(await readFile(file, 'utf8')));
});

/** The part of a picture of 100 x 40 that isn't white. */
async function inkOf(content: string): Promise<number> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="100" height="40">${content}</svg>`;
  const input = { ...grayInput, width: 100, height: 40 };
  const { data } = await decodeImage(await svgToPng(svg, 1), input, { maxPixels: 1e6 });
  return data.filter((value) => value < 128).length / data.length;
}
