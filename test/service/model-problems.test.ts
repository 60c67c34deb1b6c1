// versions that cannot be served, one for each cause → a code of the closed list for everybody, and the text once in the log.
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { WorkersUnavailableError } from '../../src/inference/errors.js';
import { type ModelProblem, modelProblems } from '../../src/inference/model-problems.js';
import type { Card } from '../../src/inference/models/card.js';
import { createPipeline } from '../../src/inference/pipeline.js';
import { createApp } from '../../src/service/app.js';
import { writeFixtureModel } from '../helpers/fixture-model.js';
import { solidPng } from '../helpers/images.js';
import { createLocalPool } from '../helpers/local-pool.js';
import { projectUrl } from '../helpers/project.js';
import { createFakeApp, testConfig } from '../helpers/service.js';

type Change = (card: Card) => object;

const moved: Change = (card) => ({
  ...card,
  golden: card.golden.map((golden) => ({ ...golden, confidences: { float32: [0.5, 0.5] } })),
});

/** The damage to a good version. The compiler reports a cause that has no case here. */
const causes: Record<
  Exclude<ModelProblem, 'weights_outside'>,
  { change?: Change; damage?(folder: string): Promise<void> }
> = {
  folder_unreadable: {
    async damage(folder) {
      await rm(folder, { recursive: true });
      await symlink(folder, folder);
    },
  },
  card_unreadable: { damage: (folder) => writeFile(path.join(folder, 'card.json'), 'SECRET=1') },
  card_invalid: { change: (card) => ({ ...card, title: 1 }) },
  card_of_other_model: { change: (card) => ({ ...card, name: 'secret' }) },
  file_unreadable: { damage: (folder) => rm(path.join(folder, 'float32.onnx')) },
  file_differs: { damage: (folder) => writeFile(path.join(folder, 'float32.onnx'), 'x') },
  model_failed: { change: (card) => ({ ...card, input: { ...card.input, width: 32 } }) },
  golden_failed: { damage: (folder) => rm(path.join(folder, 'golden'), { recursive: true }) },
  golden_differs: { change: moved },
};

async function setUp(
  t: Parameters<typeof createFakeApp>[0] & { testdir(): string },
  logLevel: 'info' = 'info',
) {
  const models = t.testdir();
  for (const [code, { change, damage }] of Object.entries(causes)) {
    const name = code.replaceAll('_', '-');
    await writeFixtureModel(models, { name, ...(change && { change: change as (card: Card) => Card }) });
    await damage?.(path.join(models, name, '1'));
  }
  const config = testConfig({ models, logLevel });
  const pipeline = await createPipeline({ ...config, workers: 1, createPool: createLocalPool });
  const lines: string[] = [];
  const app = await createApp(config, pipeline, { log: { write: (line) => lines.push(line) } });
  t.teardown(() => app.close());
  return { app, models, logged: () => lines.map((line) => JSON.parse(line)) };
}

t.test('each cause has its code, in /health/ready and /models, and its text once in the log', async (t) => {
  const { app, logged } = await setUp(t);
  const ready = (await app.inject('/health/ready')).json();
  for (const code of Object.keys(causes)) {
    const name = code.replaceAll('_', '-');
    const listed = ready.models.filter((model: { name: string }) => model.name === name);
    t.same(listed, [{ name, version: 1, problem: code }]);
    t.match((await app.inject(`/models/${name}`)).json(), { ready: false, problem: code });
    const lines = logged().filter(({ model }) => model === name);
    t.match(lines, [{ level: 50, code, problem: /\w/ }]);
    t.equal(lines.length, 1);
  }
});

t.test('no answer shows a path, a text of the runtime or a byte of a file', async (t) => {
  const { app, models } = await setUp(t);
  const names = Object.keys(causes).map((code) => code.replaceAll('_', '-'));
  const png = solidPng(28, 28, 255);
  const asked = [
    ...['/health/ready', '/v2/health/ready', '/models', '/metrics'].map((url) => ({ url })),
    ...names.flatMap((name) => [
      ...['/models', '/v1/models', '/v2/models'].map((prefix) => ({ url: `${prefix}/${name}` })),
      { url: `/v2/models/${name}/ready` },
      { url: `/v2/models/${name}/versions/1/ready` },
      { url: `/v1/models/${name}/metadata` },
      { method: 'POST' as const, url: `/models/${name}/predict`, payload: png },
      { method: 'POST' as const, url: `/models/${name}/versions/1/preview`, payload: png },
      { method: 'POST' as const, url: `/v2/models/${name}/infer`, payload: png },
      { method: 'POST' as const, url: `/v1/models/${name}:predict`, payload: png },
    ]),
  ];
  for (const request of asked) {
    const { body } = await app.inject(request);
    // A card lists the names of its files.
    for (const inside of [
      models,
      'float32.onnx"',
      'SECRET',
      'ENOENT',
      'ELOOP',
      'sha256 ',
      'the card says',
      'JSON at',
    ])
      if (!(inside === 'float32.onnx"' && body.includes('"card"')))
        t.notOk(body.includes(inside), `${request.url}: ${inside}`);
  }
});

t.test('only the log says why workers do not start', async (t) => {
  const app = await createFakeApp(t, () => {
    throw new WorkersUnavailableError('No inference worker can be started: /secret/path');
  });
  const answer = await app.inject({ method: 'POST', url: '/predict', payload: solidPng(1, 1, 0) });
  t.match(answer.json(), { status: 503, code: 'not_ready', detail: /worker can be started/ });
  t.notMatch(answer.body, 'secret');
});

t.test('the contract and docs/http.md list the codes', async (t) => {
  const guide = await readFile(new URL('docs/http.md', projectUrl), 'utf8');
  for (const [code, sentence] of Object.entries(modelProblems))
    t.ok(guide.includes(`| \`${code}\` | ${sentence.replace('card.json', '`card.json`')} |`), code);
  const { app } = await setUp(t);
  const { components } = (await app.inject('/openapi.json')).json();
  t.same(components.schemas.ModelProblem.enum, Object.keys(modelProblems));
});

t.test('a version of twenty digits is not a version, and is not rounded to another one', async (t) => {
  const models = t.testdir();
  for (const version of [1, 2]) await writeFixtureModel(models, { version });
  const digits = '9'.repeat(20);
  for (const name of [digits, '0', '007']) await mkdir(path.join(models, 'brightness', name));
  const config = testConfig({ models, logLevel: 'info' });
  const pipeline = await createPipeline({ ...config, workers: 1, createPool: createLocalPool });
  const lines: string[] = [];
  const app = await createApp(config, pipeline, { log: { write: (line) => lines.push(line) } });
  t.teardown(() => app.close());
  t.match((await app.inject('/models')).json().models, [{ version: 2, versions: [1, 2] }]);
  for (const name of [digits, '0', '007'])
    t.equal(lines.filter((line) => line.includes(`brightness/${name}: passed over`)).length, 1, name);
  const long = `1${'0'.repeat(400)}`;
  for (const version of [digits, '9007199254740993', '18446744073709551617', long])
    for (const [method, url] of [
      ['POST', `/models/brightness/versions/${version}/predict`],
      ['POST', `/models/brightness/versions/${version}/preview`],
      ['GET', `/v1/models/brightness/versions/${version}`],
      ['GET', `/v1/models/brightness/versions/${version}/metadata`],
      ['POST', `/v1/models/brightness/versions/${version}:predict`],
      ['GET', `/v2/models/brightness/versions/${version}`],
      ['GET', `/v2/models/brightness/versions/${version}/ready`],
      ['POST', `/v2/models/brightness/versions/${version}/infer`],
    ] as const) {
      const answer = await app.inject({ method, url });
      t.equal(answer.statusCode, 404, url);
      const { detail, error = detail } = answer.json();
      const shown = version === long ? `${long.slice(0, 80)}…` : version;
      t.equal(error, `Model brightness has no version ${shown}`);
    }
  for (const version of ['0', '01', '1.0', '1e0', '+1', '-1', '0x1', '%201', 'latest', '٣'])
    for (const url of [
      `/v1/models/brightness/versions/${version}`,
      `/v2/models/brightness/versions/${version}`,
    ])
      t.equal((await app.inject(encodeURI(decodeURI(url)))).statusCode, 400, url);
});

t.test('a folder that is one model passes over such a version, too', async (t) => {
  const folder = t.testdir();
  await writeFixtureModel(folder);
  const models = path.join(folder, 'brightness');
  await mkdir(path.join(models, '9'.repeat(20)));
  const pipeline = await createPipeline({ models, workers: 1, createPool: createLocalPool });
  t.teardown(() => pipeline.close());
  t.match(pipeline.models(), [{ name: 'brightness', version: 1, ready: true }]);
  t.equal(pipeline.models().length, 1);
  t.match(pipeline.passedOver(), [/9{20}: passed over/]);
});

t.test('why variants could not be measured or kept is for the log only', async (t) => {
  const models = t.testdir();
  await writeFixtureModel(models, { variants: ['float32', 'int8'], defaultVariant: 'int8' });
  const pipeline = await createPipeline({ models, workers: 1, createPool: createLocalPool });
  const trouble = ': EACCES, mkdir /secret/path';
  for (const variantReason of [
    `int8 could not be measured${trouble}`,
    `int8 is the fastest (not kept${trouble})`,
  ]) {
    const status = pipeline.models().map((model) => ({ ...model, variantReason, variantTrouble: trouble }));
    const lines: string[] = [];
    const log = { write: (line: string) => lines.push(line) };
    const app = await createApp(
      testConfig({ logLevel: 'info' }),
      { ...pipeline, models: () => status },
      { log },
    );
    t.teardown(() => app.close());
    for (const url of ['/models', '/models/brightness']) {
      const { body } = await app.inject(url);
      t.match(body, `"variantReason":"${variantReason.replace(trouble, '')}"`);
      t.notMatch(body, 'secret');
    }
    t.match(lines.join(''), trouble);
  }
});
