// imported classifiers of every usual shape, and broken models next to a good one → the responses and the log.
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import type { Card } from '../../src/inference/models/card.js';
import { createPipeline } from '../../src/inference/pipeline.js';
import { createApp } from '../../src/service/app.js';
import {
  type ForeignModel,
  foreignInput,
  foreignModels,
  foreignOnnx,
  halves,
} from '../helpers/foreign-shapes.js';
import { createLocalPool } from '../helpers/local-pool.js';
import { postImage, testConfig } from '../helpers/service.js';

async function writeForeign(models: string, model: ForeignModel): Promise<void> {
  const folder = path.join(models, model.name, '1');
  await mkdir(folder, { recursive: true });
  const onnx = foreignOnnx(model);
  const sha256 = createHash('sha256').update(onnx).digest('hex');
  const card: Card = {
    name: model.name,
    title: model.name,
    labels: [...model.labels],
    input: foreignInput(model),
    output: model.output,
    defaultVariant: 'float32',
    variants: { float32: { file: 'float32.onnx', bytes: onnx.length, sha256 } },
    golden: [],
  };
  await writeFile(path.join(folder, 'float32.onnx'), onnx);
  await writeFile(path.join(folder, 'card.json'), JSON.stringify(card));
}

t.test(
  'worker threads serve models of every usual shape, with one image and with several at once',
  async (t) => {
    const models = t.testdir();
    for (const model of foreignModels) await writeForeign(models, model);
    const config = testConfig({ models });
    const app = await createApp(config, await createPipeline({ ...config, workers: 1 }));
    t.teardown(() => app.close());
    t.equal((await app.inject('/health/ready')).statusCode, 200, (await app.inject('/health/ready')).body);
    for (const { name, labels } of foreignModels) {
      const expected = labels.length === 2 ? ['warm', 'cold', 'warm'] : ['red', 'blue', 'red'];
      const images = [
        halves([200, 30, 10], [0, 255, 255]),
        halves([20, 30, 200], [255, 255, 0]),
        halves([90, 30, 40], [0, 0, 255]),
      ];
      const answers = await Promise.all(
        images.map((image) => postImage(app, `/models/${name}/predict?top=2`, image)),
      );
      t.strictSame(
        answers.map((answer) => answer.json().category),
        expected,
        name,
      );
      const [first] = answers.map((answer) => answer.json().confidence);
      const powers = [200, 30, 10].map((value) => Math.exp((8 * value) / 255));
      const surest =
        labels.length === 2
          ? 1 / (1 + Math.exp((-8 * 190) / 255))
          : (powers[0] ?? 0) / powers.reduce((sum, power) => sum + power, 0);
      t.ok(Math.abs(first - surest) < 1e-5, `${name}: confidence ${first}, expected ${surest}`);
    }
  },
);

t.test(
  'broken models are logged with file and reason, and listed with a code; the others answer',
  async (t) => {
    const models = t.testdir();
    const [good, damaged, labels] = ['good', 'damaged', 'labels'];
    for (const name of [good, damaged, labels]) await writeForeign(models, { ...pytorch, name });
    await damageKeepingChecksum(path.join(models, damaged, '1'));
    await changeCard(path.join(models, labels, '1'), (card) => ({ ...card, labels: ['a', 'b'] }));
    const lines: string[] = [];
    const config = testConfig({ models, logLevel: 'error' });
    const pipeline = await createPipeline({ ...config, workers: 1, createPool: createLocalPool });
    const app = await createApp(config, pipeline, { log: { write: (line) => lines.push(line) } });
    t.teardown(() => app.close());
    const expected = {
      damaged: /damaged\/1\/float32\.onnx: The model cannot be loaded/,
      labels: /labels\/1\/float32\.onnx: Output: expected 2 scores, one per label, got 3/,
    };
    const logged = lines.map((line) => JSON.parse(line));
    for (const [name, problem] of Object.entries(expected)) {
      t.match((await app.inject(`/models/${name}`)).json(), { ready: false, problem: 'model_failed' });
      t.match(
        logged.find(({ model }) => model === name),
        { model: name, version: 1, problem, msg: 'the model is not ready' },
      );
    }
    const answer = await postImage(app, '/models/good/predict', halves([9, 200, 9], [0, 0, 0]));
    t.equal(answer.body, '{"category":"green"}');
  },
);

const [pytorch = {} as ForeignModel] = foreignModels;

async function damageKeepingChecksum(folder: string): Promise<void> {
  const file = path.join(folder, 'float32.onnx');
  const damaged = (await readFile(file)).subarray(0, 100);
  await writeFile(file, damaged);
  const sha256 = createHash('sha256').update(damaged).digest('hex');
  await changeCard(folder, (card) => ({
    ...card,
    variants: { float32: { file: 'float32.onnx', bytes: damaged.length, sha256 } },
  }));
}

async function changeCard(folder: string, change: (card: Card) => Card): Promise<void> {
  const file = path.join(folder, 'card.json');
  await writeFile(file, JSON.stringify(change(JSON.parse(await readFile(file, 'utf8')))));
}
