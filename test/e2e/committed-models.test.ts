// The committed models in the app: every committed sample, and the figures of the cards.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { FastifyInstance } from 'fastify';
import t from 'tap';
import { categoryOf, findImages, modelOf } from '../../src/cli/image-files.js';
import { runPredict } from '../../src/cli/predict.js';
import { type Card, loadCard } from '../../src/inference/models/card.js';
import { createPipeline } from '../../src/inference/pipeline.js';
import { createApp } from '../../src/service/app.js';
import { fakeIo } from '../cli/fake-io.js';
import { projectFolder } from '../helpers/project.js';
import { postImage, testConfig } from '../helpers/service.js';

const root = projectFolder;
const models = path.join(root, 'models');
const imgs = path.join(root, 'imgs');
const sample = path.join(imgs, 'mnist', '7-1.png');
/** What the repository and the package bring. */
const bundled = ['cats-vs-dogs', 'cifar10', 'cifar10-cnn', 'mnist', 'mnist-binary'];

let created: Promise<FastifyInstance> | undefined;
t.teardown(async () => (await created)?.close());

/** One for all tests: they only ask. */
function committedApp(): Promise<FastifyInstance> {
  created ??= createCommittedApp();
  return created;
}

async function createCommittedApp(): Promise<FastifyInstance> {
  const config = testConfig({ models });
  return await createApp(config, await createPipeline({ ...config, workers: 1 }));
}

async function findCards(): Promise<{ folder: string; card: Card }[]> {
  const files = await readdir(models, { recursive: true });
  const cards = files.filter((file) => path.basename(file) === 'card.json').sort();
  return Promise.all(
    cards.map(async (file) => ({
      folder: path.dirname(file),
      card: await loadCard(path.join(models, file)),
    })),
  );
}

t.test('every bundled model is listed', async (t) => {
  const cards = await findCards();
  t.strictSame(cards.map(({ card }) => card.name).sort(), bundled);
});

t.test('every committed model is ready, and classifies every sample', async (t) => {
  const app = await committedApp();
  t.equal((await app.inject('/health/ready')).statusCode, 200);
  const labels = new Map((await findCards()).map(({ card }) => [card.name, card.labels]));
  const right = new Map<string, boolean[]>();
  for (const file of await findImages([imgs])) {
    const name = modelOf(file, labels) ?? '';
    const expected = categoryOf(file, labels.get(name) ?? []);
    t.ok(expected, `${file} is called <category>-<n>.png`);
    const response = await postImage(app, `/models/${name}/predict`, await readFile(file));
    t.equal(response.statusCode, 200, file);
    right.set(name, [...(right.get(name) ?? []), response.json().category === expected]);
  }
  t.strictSame([...right.keys()].sort(), [...labels.keys()].sort(), 'every model has samples');
  for (const [name, answers] of right) {
    const accuracy = answers.filter(Boolean).length / answers.length;
    t.ok(accuracy >= 0.9, `${name}: ${accuracy} of ${answers.length} samples`);
  }
});

t.test('an image of a seven is classified as 7: in a form, as the body, and by model name', async (t) => {
  const app = await committedApp();
  const image = await readFile(sample);
  const headers = { 'content-type': 'image/png' };
  for (const url of ['/predict?model=mnist', '/models/mnist/predict', '/models/mnist/versions/1/predict']) {
    t.equal((await postImage(app, url, image)).body, '{"category":"7"}', url);
    const raw = await app.inject({ method: 'POST', url, headers, payload: image });
    t.equal(raw.body, '{"category":"7"}', `${url}, as the body`);
  }
});

t.test('top adds confidence, predictions and the served int8 variant', async (t) => {
  const app = await committedApp();
  const image = await readFile(sample);
  const answer = (await postImage(app, '/models/mnist/versions/1/predict?top=3', image)).json();
  t.strictSame(Object.keys(answer).sort(), ['category', 'confidence', 'model', 'predictions']);
  t.equal(answer.category, '7');
  t.strictSame(answer.model, { name: 'mnist', version: 1, variant: 'int8' });
  t.equal(answer.predictions.length, 3);
  t.strictSame(answer.predictions[0], { category: '7', confidence: answer.confidence });
  t.ok(answer.confidence > 0.9 && answer.confidence <= 1);
});

t.test('quati predict imgs/ shows the same accuracy', async (t) => {
  const app = await committedApp();
  const io = fakeIo();
  const flags = {
    url: await app.listen({ port: 0, host: '127.0.0.1' }),
    concurrency: 4,
    top: 1,
    json: true,
    picture: false,
  };
  await runPredict([imgs], flags, io);
  const { results, summary } = JSON.parse(io.out());
  const correct = results.filter((result: { correct?: boolean }) => result.correct).length;
  t.equal(summary.images, (await findImages([imgs])).length);
  t.equal(summary.failed, 0);
  t.match(summary.accuracy, { correct, known: summary.images, top1: correct / summary.images });
});

/** What int8 may lose, of 1. Of 203 photos of cats and dogs, one is half a point. */
const allowedLoss = new Map([
  ['cats-vs-dogs', 1 / 203],
  ['cifar10-cnn', 0.005],
]);

t.test(
  'int8 serves if there is no binary variant, has at most 0.27 of the size of float32, and loses almost no accuracy',
  async (t) => {
    for (const { folder, card } of await findCards()) {
      const { float32, int8 } = card.variants;
      t.equal(card.defaultVariant, card.variants.binary ? 'binary' : 'int8', folder);
      t.ok((int8?.bytes ?? Number.NaN) <= 0.27 * (float32?.bytes ?? Number.NaN), `${folder}: bytes`);
      const lost = (float32?.accuracy ?? Number.NaN) - (int8?.accuracy ?? Number.NaN);
      t.ok(lost <= (allowedLoss.get(card.name) ?? 0.002) + 1e-9, `${folder}: loses ${lost}`);
    }
  },
);

t.test(
  'the digit model has an accuracy of at least 98.9 %, and its card lists the commands that made it',
  async (t) => {
    const { variants, provenance } = await loadCard(path.join(models, 'mnist', '1', 'card.json'));
    t.ok((variants.float32?.accuracy ?? 0) >= 0.989);
    const stages = provenance?.commands.map((command) => command.split(' ').slice(0, 3).join(' '));
    t.strictSame(
      [...new Set(stages)],
      ['npx quati train', 'npx quati quantise', 'npx quati evaluate', 'npx quati publish'],
    );
  },
);

t.test('the two networks of CIFAR-10 have the required accuracy and size', async (t) => {
  const wanted = { cifar10: [0.92, 0.915], 'cifar10-cnn': [0.82, 0.815] } as const;
  for (const [name, [float32, int8]] of Object.entries(wanted)) {
    const { variants } = await loadCard(path.join(models, name, '1', 'card.json'));
    t.ok((variants.float32?.accuracy ?? 0) >= float32, `${name}: ${variants.float32?.accuracy}`);
    t.ok((variants.int8?.accuracy ?? 0) >= int8, `${name}: ${variants.int8?.accuracy}`);
    t.ok((variants.int8?.bytes ?? Number.NaN) <= 367_616, `${name}: ${variants.int8?.bytes} bytes`);
  }
});

t.test(
  'the digit model of ±1 takes at most 14 KB and has an accuracy of at least 98.2 %, in every variant',
  async (t) => {
    const { variants } = await loadCard(path.join(models, 'mnist-binary', '1', 'card.json'));
    t.ok((variants.binary?.bytes ?? Number.NaN) <= 14 * 1024, `${variants.binary?.bytes} bytes`);
    t.ok((variants.binary?.accuracy ?? 0) >= 0.982);
    for (const variant of ['float32', 'int8'] as const)
      t.equal(variants[variant]?.accuracy, variants.binary?.accuracy, variant);
  },
);
