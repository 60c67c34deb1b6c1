// Cards and times → the variant that QUATI_VARIANT=auto serves, the kept figures, and the reported reason.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { ModelError } from '../../../src/inference/errors.js';
import { chooseFastest, type Measure, measureInProcess } from '../../../src/inference/models/auto-variant.js';
import type { Card, VariantName } from '../../../src/inference/models/card.js';
import { createPipeline } from '../../../src/inference/pipeline.js';
import { createApp } from '../../../src/service/app.js';
import { brightnessOnnx, grayInput, writeFixtureModel } from '../../helpers/fixture-model.js';
import { createLocalPool } from '../../helpers/local-pool.js';
import { testConfig } from '../../helpers/service.js';

type Accuracies = Partial<Record<VariantName, number | undefined>>;

function cardOf(accuracies: Accuracies, change: Partial<Card> = {}): Card {
  const variants = Object.entries(accuracies).map(([name, accuracy]) => [
    name,
    { file: `${name}.onnx`, bytes: 1, sha256: name, ...(accuracy !== undefined && { accuracy }) },
  ]);
  return {
    name: 'net',
    title: 'Net',
    labels: ['a', 'b'],
    input: grayInput,
    output: 'softmax',
    defaultVariant: 'int8',
    variants: Object.fromEntries(variants),
    golden: [],
    ...change,
  };
}

/** A measure function with known times that records its calls. */
function fakeMeasure(times: Record<string, number>) {
  const asked: string[][] = [];
  const measure: Measure = async ({ files }) => {
    asked.push(files.map(({ file }) => file));
    return times;
  };
  return { asked, measure };
}

t.test(
  'the fastest variant within the tolerance of the best accuracy serves, and the figures show why',
  async (t) => {
    const { asked, measure } = fakeMeasure({ float32: 0.05, int8: 0.2, binary: 0.01 });
    const card = cardOf({ float32: 0.99, int8: 0.988, binary: 0.95 });
    const choice = await chooseFastest(card, '/models/net/1', { measure, cacheFolder: t.testdir() });
    t.strictSame(choice, {
      variant: 'float32',
      variantReason:
        'float32 is the fastest here within 0.002 of the best accuracy: float32 0.050 ms, int8 0.200 ms (measured now)',
      figures: [
        { variant: 'float32', accuracy: 0.99, accurateEnough: true, latencyMs: 0.05 },
        { variant: 'int8', accuracy: 0.988, accurateEnough: true, latencyMs: 0.2 },
        { variant: 'binary', accuracy: 0.95, accurateEnough: false },
      ],
    });
    t.strictSame(
      asked,
      [['/models/net/1/float32.onnx', '/models/net/1/int8.onnx']],
      'binary is not measured',
    );
  },
);

t.test("the card's tolerance determines which variants are accurate enough", async (t) => {
  const { measure } = fakeMeasure({ float32: 0.05, int8: 0.2, binary: 0.01 });
  const card = cardOf({ float32: 0.99, int8: 0.988, binary: 0.95 }, { accuracyTolerance: 0.04 });
  t.equal((await chooseFastest(card, '', { measure, cacheFolder: t.testdir() })).variant, 'binary');
});

t.test('figures are kept for the next startup, until a file changes', async (t) => {
  const cacheFolder = path.join(t.testdir(), 'cache', 'quati');
  const { asked, measure } = fakeMeasure({ float32: 0.3, int8: 0.2 });
  const card = cardOf({ float32: 0.99, int8: 0.99 });
  const choose = (of: Card) => chooseFastest(of, '', { measure, cacheFolder });
  t.match(await choose(card), { variant: 'int8', variantReason: /measured now/ });
  t.match(await choose(card), {
    variant: 'int8',
    variantReason: /int8 0\.200 ms, float32 0\.300 ms \(measured before\)/,
  });
  t.equal(asked.length, 1);
  t.equal((await readdir(cacheFolder)).length, 1);
  const changed = cardOf({ float32: 0.99, int8: 0.99 });
  if (changed.variants.int8) changed.variants.int8.sha256 = 'another';
  await choose(changed);
  t.equal(asked.length, 2);
});

t.test(
  'a damaged cache leads to a new measurement; a cache that cannot be written is reported',
  async (t) => {
    const folder = t.testdir();
    const { asked, measure } = fakeMeasure({ float32: 0.3, int8: 0.2 });
    const card = cardOf({ float32: 0.99, int8: 0.99 });
    await chooseFastest(card, '', { measure, cacheFolder: folder });
    const [name = ''] = await readdir(folder);
    await writeFile(path.join(folder, name), '{"float32": "fast", "int8":');
    t.equal((await chooseFastest(card, '', { measure, cacheFolder: folder })).variant, 'int8');
    t.equal(asked.length, 2);
    t.match(JSON.parse(await readFile(path.join(folder, name), 'utf8')), { float32: 0.3, int8: 0.2 });
    const inTheWay = path.join(folder, name);
    const { variantReason } = await chooseFastest(card, '', { measure, cacheFolder: inTheWay });
    t.match(variantReason, /measured now, not kept: /);
  },
);

t.test("if the measurement fails, the card's default serves, with the reason", async (t) => {
  const measure: Measure = async () => {
    throw new ModelError('the measuring process exited with SIGSEGV: ');
  };
  const card = cardOf({ float32: 0.99, int8: 0.99 });
  t.match(await chooseFastest(card, '', { measure, cacheFolder: t.testdir() }), {
    variant: 'int8',
    variantReason:
      "int8 is the card's default: the variants could not be measured: the measuring process exited with SIGSEGV: ",
  });
});

t.test('a single accurate variant is not measured; without accuracies it is the default', async (t) => {
  const { asked, measure } = fakeMeasure({});
  const options = { measure, cacheFolder: t.testdir() };
  t.equal((await chooseFastest(cardOf({ float32: 0.99, int8: 0.9 }), '', options)).variant, 'float32');
  const unknown = cardOf({ float32: undefined, int8: undefined });
  t.equal((await chooseFastest(unknown, '', options)).variant, 'int8');
  t.strictSame(asked, []);
});

t.test('a separate process measures; a file that is not a model stops it with the reason', async (t) => {
  const folder = t.testdir();
  const files = ['small', 'other'].map((sha256) => ({ sha256, file: path.join(folder, `${sha256}.onnx`) }));
  for (const { file } of files) await writeFile(file, brightnessOnnx(grayInput, 3));
  const times = await measureInProcess({ input: grayInput, files });
  t.strictSame(Object.keys(times), ['small', 'other']);
  for (const time of Object.values(times)) t.ok(time > 0 && time < 1000, `${time} ms`);
  await writeFile(files[0]?.file ?? '', 'no model');
  await t.rejects(measureInProcess({ input: grayInput, files }), {
    constructor: ModelError,
    message: /the measuring process exited with 1: The model cannot be loaded/,
  });
});

t.test('GET /models shows the choice, its reason and the figures', async (t) => {
  const root = t.testdir();
  const models = path.join(root, 'models');
  const cache = path.join(root, 'cache');
  await mkdir(cache);
  await writeFixtureModel(models, {
    variants: ['float32', 'int8'],
    defaultVariant: 'int8',
    change: (card) => {
      for (const variant of Object.values(card.variants)) variant.accuracy = 0.9;
      return card;
    },
  });
  const before = process.env.XDG_CACHE_HOME;
  process.env.XDG_CACHE_HOME = cache;
  t.teardown(() => {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
  });
  const config = testConfig({ models, variant: 'auto' });
  const pipeline = await createPipeline({ ...config, workers: 1, createPool: createLocalPool });
  const app = await createApp(config, pipeline);
  t.teardown(() => app.close());
  const {
    models: [model],
  } = (await app.inject('/models')).json();
  t.match(model, {
    ready: true,
    variantReason: /is the fastest here within 0\.002 of the best accuracy: .* ms, .* ms \(measured now\)/,
    figures: [
      { variant: 'float32', accuracy: 0.9, accurateEnough: true, latencyMs: Number },
      { variant: 'int8', accuracy: 0.9, accurateEnough: true, latencyMs: Number },
    ],
  });
  t.strictSame(await readdir(path.join(cache, 'quati')).then((names) => names.length), 1);
});
