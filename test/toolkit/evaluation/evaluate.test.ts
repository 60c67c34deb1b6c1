// Models with known predictions → accuracy, size and refusals.
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { ModelError } from '../../../src/inference/errors.js';
import type { Split } from '../../../src/toolkit/datasets/dataset.js';
import { EvaluationError } from '../../../src/toolkit/evaluation/errors.js';
import { evaluateModel } from '../../../src/toolkit/evaluation/evaluate.js';
import { measureSpeeds } from '../../../src/toolkit/evaluation/speed.js';
import { wilsonInterval } from '../../../src/toolkit/evaluation/wilson.js';
import { brightnessOnnx, grayInput } from '../../helpers/fixture-model.js';

const target = { input: grayInput, output: 'softmax', labels: ['dark', 'grey', 'bright'] } as const;

/** Images of one value each. */
function solids(values: readonly number[], labels: readonly number[], side = 28): Split {
  const images = new Uint8Array(values.length * side * side);
  values.forEach((value, i) => {
    images.fill(value, i * side * side, (i + 1) * side * side);
  });
  const count = values.length;
  return { images, labels: Uint8Array.from(labels), count, height: side, width: side, channels: 1 };
}

async function writeBrightness(folder: string, batch?: number): Promise<string> {
  const file = path.join(folder, 'float32.onnx');
  await writeFile(file, brightnessOnnx(grayInput, 3, batch));
  return file;
}

t.test('correct predictions are counted over full batches and a smaller last batch', async (t) => {
  const file = await writeBrightness(t.testdir());
  const values = Array.from({ length: 70 }, (_, i) => [10, 120, 250][i % 3] ?? 0);
  const labels = values.map((_, i) => (i % 7 === 0 ? (i + 1) % 3 : i % 3));
  const seen: number[] = [];
  const { evaluation, answers } = await evaluateModel(file, target, solids(values, labels), {
    onProgress: (count) => seen.push(count),
  });
  t.equal(evaluation.images, 70);
  t.equal(evaluation.accuracy, 60 / 70);
  t.same(evaluation.accuracyInterval, wilsonInterval(60, 70));
  t.equal(evaluation.parameters, 28 * 28 * 3 + 3);
  t.same(
    [...answers.categories],
    values.map((_, i) => i % 3),
  );
  t.ok(answers.confidences.every((confidence) => confidence > 0.5 && confidence <= 1));
  t.strictSame(seen, [32, 64, 70]);
});

t.test('a model with a batch size of 1 gets the same count', async (t) => {
  const file = await writeBrightness(t.testdir(), 1);
  const { evaluation } = await evaluateModel(file, target, solids([10, 120, 250, 250], [0, 1, 2, 0]));
  t.equal(evaluation.accuracy, 3 / 4);
});

t.test('size and checksum are those of the file', async (t) => {
  const folder = t.testdir();
  const file = await writeBrightness(folder);
  const model = brightnessOnnx(grayInput, 3);
  const { evaluation } = await evaluateModel(file, target, solids([0], [0]));
  t.equal(evaluation.bytes, model.length);
  t.equal(evaluation.sha256, createHash('sha256').update(model).digest('hex'));
});

t.test('latencies of the files are measured in turn', async (t) => {
  const folder = t.testdir({ any: {}, one: {} });
  const files = new Map([
    ['any', await writeBrightness(path.join(folder, 'any'))],
    ['one', await writeBrightness(path.join(folder, 'one'), 1)],
  ]);
  const speeds = await measureSpeeds(files, target, solids([10, 120, 250], [0, 1, 2]));
  t.strictSame([...speeds.keys()], [...files.keys()]);
  for (const { latencyMs, imagesPerSecond } of speeds.values()) {
    const { mean, p50, p95 } = latencyMs;
    t.ok([mean, p50, p95, imagesPerSecond].every((value) => value > 0));
    t.ok(p50 <= p95);
  }
});

t.test('measuring latency on images of another size is an error with both sizes', async (t) => {
  const files = new Map([['float32', await writeBrightness(t.testdir())]]);
  await t.rejects(measureSpeeds(files, target, solids([0], [0], 32)), { message: /32x32/ });
});

t.test('images of another size are an error with both sizes', async (t) => {
  const file = await writeBrightness(t.testdir());
  await t.rejects(evaluateModel(file, target, solids([0], [0], 32)), {
    constructor: EvaluationError,
    message: `${file}: takes 28x28 gray images, but the dataset has 32x32 with 1 channels`,
  });
});

t.test('images of another shape with the same number of pixels are refused, too', async (t) => {
  const file = await writeBrightness(t.testdir());
  const split = { ...solids([0], [0]), height: 14, width: 56 };
  await t.rejects(evaluateModel(file, target, split), { message: /dataset has 56x14 with 1 channels/ });
});

t.test('a model with another number of scores than labels is an error', async (t) => {
  const file = await writeBrightness(t.testdir());
  const labels = ['dark', 'bright'];
  await t.rejects(evaluateModel(file, { ...target, labels }, solids([0], [0])), {
    constructor: ModelError,
    message: /expected 2 scores, one per label, got 3/,
  });
});
