// A split of drawn sevens → the same in dark ink on paper, and their classification.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import type { InputContract } from '../../../src/inference/image/contract.js';
import { decodeImage } from '../../../src/inference/image/decode.js';
import { applyDigitRules, isDarkOnLight } from '../../../src/inference/image/digits.js';
import { imageKind } from '../../../src/inference/image/kinds.js';
import { loadCard } from '../../../src/inference/models/card.js';
import type { Split } from '../../../src/toolkit/datasets/dataset.js';
import { loadDataset } from '../../../src/toolkit/datasets/load.js';
import { EvaluationError } from '../../../src/toolkit/evaluation/errors.js';
import {
  decodeReinked,
  drawReinked,
  evaluateReinked,
  type Reinked,
  reinkedDigits,
} from '../../../src/toolkit/evaluation/reinked.js';
import { exists } from '../../../src/toolkit/files.js';
import { drawSeven, meanDifference } from '../../helpers/digit-pictures.js';
import { brightnessOnnx, grayInput } from '../../helpers/fixture-model.js';

const input: InputContract = { ...grayInput, polarity: 'auto', centre: { box: 20 } };
const seven = applyDigitRules(
  drawSeven({ width: 300, height: 300, left: 60, top: 50, size: 200 }),
  input,
).data;
const count = 12;
const images = new Uint8Array(count * 784);
for (let i = 0; i < count; i++) images.set(seven, i * 784);
const labels = new Uint8Array(count).fill(1);
const split: Split = { images, labels, count, height: 28, width: 28, channels: 1 };
const paperLike: InputContract = { ...grayInput, width: 128, height: 128, fit: 'fill' };

async function collect(seed: number, many = count): Promise<Reinked[]> {
  const all: Reinked[] = [];
  for await (const one of reinkedDigits(split, { count: many, seed })) all.push(one);
  return all;
}

t.test(
  'the same seed gives the same files, for any number of files; another seed gives others',
  async (t) => {
    const [four, twelve, other] = [await collect(1, 4), await collect(1), await collect(2, 4)];
    t.same(four, twelve.slice(0, 4));
    t.not(Buffer.compare(four[0]?.bytes ?? new Uint8Array(), other[0]?.bytes ?? new Uint8Array()), 0);
    t.same(
      twelve.map(({ index }) => index).sort((a, b) => a - b),
      [...Array(count).keys()],
    );
  },
);

t.test('the files are PNG and JPEG with dark ink on light paper', async (t) => {
  const all = await collect(1);
  t.same(new Set(all.map(({ kind }) => kind)), new Set(['png', 'jpeg']));
  for (const { bytes, kind, label } of all) {
    t.equal(imageKind(bytes), kind);
    t.equal(label, 1);
    const { data } = await decodeImage(bytes, paperLike, { maxPixels: 400 * 400 });
    t.ok(isDarkOnLight({ width: 128, height: 128, data }));
  }
});

t.test('the digit rules restore the original digits', async (t) => {
  for (const { bytes } of await collect(3)) {
    const { data } = await decodeImage(bytes, input, { maxPixels: 400 * 400 });
    t.ok(meanDifference(data, seven) < 25, `${meanDifference(data, seven)} grey levels`);
  }
});

t.test('correct predictions for the files are counted', async (t) => {
  const file = path.join(t.testdir(), 'float32.onnx');
  await writeFile(file, brightnessOnnx(grayInput, 2));
  const seen: number[] = [];
  const target = { input, output: 'softmax', labels: ['dark', 'bright'] } as const;
  const onProgress = (done: number) => seen.push(done);
  const evaluate = async (of: Split) => {
    const drawn = await drawReinked(of, { count: 5, seed: 1 });
    return evaluateReinked(file, target, await decodeReinked(drawn, input, onProgress));
  };
  t.same(await evaluate(split), { images: 5, accuracy: 0 });
  t.same(seen, [1, 2, 3, 4, 5]);
  const dark = { ...split, labels: new Uint8Array(count) };
  t.same(await evaluate(dark), { images: 5, accuracy: 1 });
});

t.test('colour images are refused', async (t) => {
  const rgb = { ...split, channels: 3 };
  await t.rejects(reinkedDigits(rgb, { count: 1, seed: 1 }).next(), EvaluationError);
});

t.test('the published digit model classifies at least 97 of 100 correctly', async (t) => {
  if (!(await exists('data/mnist/dataset.json'))) return t.comment('skipped: quati dataset prepare mnist');
  const { input, output, labels } = await loadCard('models/mnist/1/card.json');
  const { test } = await loadDataset('data/mnist');
  const digits = await decodeReinked(await drawReinked(test, { count: 100, seed: 1 }), input);
  const { accuracy } = await evaluateReinked(
    'models/mnist/1/float32.onnx',
    { input, output, labels },
    digits,
  );
  t.ok(accuracy >= 0.97, `${accuracy}`);
});
