// images without ink, to the committed digit model, by every path → the problem no_ink; the images of digits in this project are still accepted.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { FastifyInstance } from 'fastify';
import sharp from 'sharp';
import t from 'tap';
import { applyDigitRules } from '../../src/inference/image/digits.js';
import { createPipeline } from '../../src/inference/pipeline.js';
import { createApp } from '../../src/service/app.js';
import { drawSeven } from '../helpers/digit-pictures.js';
import { grayInput } from '../helpers/fixture-model.js';
import { jpeg, noise, png, solidPng, webp } from '../helpers/images.js';
import { createLocalPool } from '../helpers/local-pool.js';
import { projectFolder } from '../helpers/project.js';
import { infer } from '../helpers/protocols.js';
import { testConfig } from '../helpers/service.js';

const config = testConfig({ models: path.join(projectFolder, 'models') });
const app: FastifyInstance = await createApp(
  config,
  await createPipeline({ ...config, workers: 1, createPool: createLocalPool }),
);
t.teardown(() => app.close());
const contract = { ...grayInput, polarity: 'auto', centre: { box: 20 } } as const;

/** White strokes of a canvas whose other pixels are transparent. */
function whiteOnNothing(): Buffer {
  const { width, height, data } = drawSeven({ width: 200, height: 200, left: 50, top: 40, size: 120 });
  return png(
    width,
    height,
    4,
    Uint8Array.from(data).reduce(
      (all, value, i) => all.fill(value, 4 * i, 4 * i + 4),
      new Uint8Array(160_000),
    ),
  );
}

const empty: Record<string, Buffer> = {
  'a black image of the model’s size': solidPng(28, 28, 0),
  'a white image of the model’s size': solidPng(28, 28, 255),
  'a gray image': solidPng(300, 200, 120),
  'one pixel': solidPng(1, 1, 0),
  'a transparent canvas': png(100, 100, 4, new Uint8Array(40_000)),
  'white strokes on a transparent canvas': whiteOnNothing(),
  'a white JPEG': await jpeg(100, 80, 255),
  'a black WebP': await webp(60, 60, 0),
  'paper with grain': png(
    100,
    100,
    1,
    noise(10_000).map((value) => 240 + value / 20),
  ),
  'a coloured sheet': await sharp({
    create: { width: 50, height: 50, channels: 3, background: '#2080c0' },
  })
    .png()
    .toBuffer(),
};

for (const [name, file] of Object.entries(empty))
  t.test(`${name} has no ink: 422 on every path`, async (t) => {
    const post = (url: string) => app.inject({ method: 'POST', url, payload: file });
    for (const url of ['/predict?model=mnist', '/models/mnist/predict', '/models/mnist/preview']) {
      const answer = await post(url);
      t.equal(answer.statusCode, 422, url);
      t.match(answer.json(), {
        code: 'no_ink',
        title: 'The image shows no ink',
        detail: /Draw dark on light/,
      });
    }
    const data = [file.toString('base64')];
    const inputs = [{ name: 'image', shape: [1], datatype: 'BYTES', data }];
    const v2 = await infer(app, '/v2/models/mnist/infer', { inputs });
    const payload = { instances: [{ b64: data[0] }] };
    const v1 = await app.inject({ method: 'POST', url: '/v1/models/mnist:predict', payload });
    for (const answer of [v1, v2]) {
      t.equal(answer.statusCode, 422);
      t.match(answer.json(), { error: /no ink/ });
    }
    t.equal((await post('/models/cifar10/predict')).statusCode, 200, 'a model without digit rules takes it');
  });

t.test('a contract with polarity alone needs ink too', async (t) => {
  const { centre: _centre, ...polarity } = contract;
  const white = { width: 28, height: 28, data: new Uint8Array(28 * 28).fill(255) };
  t.throws(() => applyDigitRules(white, polarity, { needsInk: true }), { name: 'NoInkError' });
  t.equal(applyDigitRules(white, polarity), white, 'a dataset may contain it');
});

t.test('the images of digits in this project and the golden images have ink', async (t) => {
  for (const folder of ['imgs/mnist', 'models/mnist/1/golden']) {
    const files = (await readdir(path.join(projectFolder, folder))).filter((file) => file.endsWith('.png'));
    t.ok(files.length > 0);
    for (const file of files) {
      const payload = await readFile(path.join(projectFolder, folder, file));
      const answer = await app.inject({ method: 'POST', url: '/models/mnist/predict', payload });
      t.equal(answer.statusCode, 200, file);
    }
  }
});

t.test('faint and tiny drawings have ink', async (t) => {
  for (const [ground, ink] of [
    [255, 0],
    [255, 200],
    [0, 60],
    [180, 120],
  ] as const) {
    const drawn = drawSeven({
      ...{ width: 120, height: 100, left: 40, top: 30, size: 40 },
      ground: () => ground,
      ink: () => ink,
    });
    const payload = png(drawn.width, drawn.height, 1, drawn.data);
    const answer = await app.inject({ method: 'POST', url: '/models/mnist/predict', payload });
    t.equal(answer.statusCode, 200, `${ink} on ${ground}`);
  }
});
