// int8 by Quati and int8 by onnxruntime's own quantiser, from the same model and images: not worse and not larger.
// What that one made is in test/fixtures/onnxruntime/quantiser.json, with the script that recorded it.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { openSession } from '../../../src/inference/workers/session.js';
import type { Split } from '../../../src/toolkit/datasets/dataset.js';
import { loadDataset } from '../../../src/toolkit/datasets/load.js';
import { exists, sha256Of } from '../../../src/toolkit/files.js';
import { calibrationBatches } from '../../../src/toolkit/quantisation/calibration-images.js';
import { quantiseToInt8 } from '../../../src/toolkit/quantisation/quantise.js';
import { createBatchReader } from '../../../src/toolkit/training/batches/batches.js';
import { mnistCnnRecipe } from '../../../src/toolkit/training/recipe/bundled/mnist-cnn.js';
import { projectFolder } from '../../helpers/project.js';
import { randomImages } from '../../helpers/quantised-net.js';

interface Recorded {
  readonly bytes: number;
  readonly correct: number;
}
interface Fixture {
  readonly float32: Recorded & { readonly sha256: string };
  readonly calibrationImages: number;
  readonly testImages: number;
  readonly eightBits: Recorded;
  readonly sevenBits: Recorded;
}

const file = path.join(projectFolder, 'test/fixtures/onnxruntime/quantiser.json');
const fixture = JSON.parse(await readFile(file, 'utf8')) as Fixture;
const float32 = path.join(projectFolder, 'test/fixtures/onnxruntime/mnist-cnn.onnx');

const { testImages, eightBits, sevenBits } = fixture;
const mostBytes = 1.05 * Math.min(eightBits.bytes, sevenBits.bytes);
const leastCorrect = Math.max(eightBits.correct, sevenBits.correct) - 0.001 * testImages;

t.test('the file is at most 5 % larger, and at most 0.28 of the float model', async (t) => {
  t.equal(await sha256Of(float32), fixture.float32.sha256, 'the model that was recorded');
  const model = await readFile(float32);
  const { model: int8 } = await quantiseToInt8(model, 'mnist', [
    { images: randomImages(4, 1, 28 * 28), count: 4 },
  ]);
  t.ok(int8.byteLength <= mostBytes, `${int8.byteLength} bytes of ${mostBytes}`);
  t.ok(int8.byteLength <= 0.28 * model.byteLength);
});

const data = path.join(projectFolder, 'data/mnist');
const noData = !(await exists(data)) && `${data}: make it with npx quati dataset prepare mnist`;

const options = { skip: noData, timeout: 120_000 };

t.test('quantised by Quati, the model classifies no fewer test images correctly', options, async (t) => {
  const { input } = mnistCnnRecipe;
  const { train, test } = await loadDataset(data);
  const batches = calibrationBatches(train, input, { images: fixture.calibrationImages, seed: 1 });
  for (const activations of ['uint8', 'int8'] as const) {
    const { model } = await quantiseToInt8(await readFile(float32), 'mnist', batches, { activations });
    const correct = await countCorrect(model, test, input);
    t.ok(correct >= leastCorrect, `${activations}: ${correct} of ${leastCorrect}`);
  }
});

async function countCorrect(
  model: Uint8Array,
  test: Split,
  input: Parameters<typeof createBatchReader>[1],
): Promise<number> {
  const session = await openSession(model, { input });
  const read = createBatchReader(test, input, 100);
  const order = Uint32Array.from({ length: test.count }, (_, i) => i);
  let correct = 0;
  for (let batch = 0; batch < test.count / 100; batch++) {
    const { images, labels, count } = read(order, batch);
    const scores = await session.run(images, count);
    for (let i = 0; i < count; i++) {
      const row = scores.subarray(10 * i, 10 * (i + 1));
      if (row.indexOf(Math.max(...row)) === Number(labels[i])) correct++;
    }
  }
  await session.release();
  return correct;
}
