// A measured run → a complete version in models/ and samples, checked by the serving code, or no file at all.
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { CardError } from '../../../src/inference/errors.js';
import { decodeImage } from '../../../src/inference/image/decode.js';
import { loadCard } from '../../../src/inference/models/card.js';
import { createPipeline } from '../../../src/inference/pipeline.js';
import { loadDataset } from '../../../src/toolkit/datasets/load.js';
import { EvaluationError } from '../../../src/toolkit/evaluation/errors.js';
import { readReport, writeReport } from '../../../src/toolkit/evaluation/report.js';
import { sha256Of } from '../../../src/toolkit/files.js';
import { PublishingError } from '../../../src/toolkit/publishing/errors.js';
import { type PublishOptions, publish } from '../../../src/toolkit/publishing/publish.js';
import { measure, writeMeasuredRun, writeTrainedRun, writeWeights } from '../../helpers/fixture-run.js';
import { createLocalPool } from '../../helpers/local-pool.js';
import { tinyRecipe, writeTinyDataset } from '../../helpers/tiny-dataset.js';

const command = 'npx quati publish --as rows';

interface Tap {
  testdir(): string;
}

async function setUp(t: Tap) {
  const root = t.testdir();
  const { run, dataset } = await writeMeasuredRun(root);
  const [models, imgs] = [path.join(root, 'models'), path.join(root, 'imgs')];
  const put = (options: Partial<PublishOptions> = {}) =>
    publish({ run, name: 'rows', command, modelsFolder: models, samplesFolder: imgs, ...options });
  return { root, run, dataset, models, imgs, put };
}

async function contents(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.join(parentPath, name));
  const read = files.sort().map(async (file) => [path.relative(folder, file), await sha256Of(file)] as const);
  return Object.fromEntries(await Promise.all(read));
}

t.test('a version holds card, variants and golden images, and no other file', async (t) => {
  const { models, run, put } = await setUp(t);
  const { folder, card } = await put();
  t.equal(folder, path.join(models, 'rows', '1'));
  t.strictSame(await readdir(path.join(models, 'rows')), ['1']);
  const golden = (await readdir(path.join(folder, 'golden'))).map((file) => `golden/${file}`);
  t.strictSame(
    Object.keys(await contents(folder)),
    ['card.json', 'float32.onnx', 'int8.onnx', ...golden].sort(),
  );
  t.ok(golden.length > 0 && golden.length <= 4);
  t.strictSame(await loadCard(path.join(folder, 'card.json')), card);
  for (const variant of ['float32.onnx', 'int8.onnx'])
    t.equal(await sha256Of(path.join(folder, variant)), await sha256Of(path.join(run, variant)));
});

t.test('the card states the measured figures and how the model was made', async (t) => {
  const { run, put } = await setUp(t);
  const { card } = await put();
  const { variants } = await readReport(run);
  t.match(card, {
    name: 'rows',
    title: tinyRecipe.title,
    labels: ['top', 'middle', 'bottom'],
    input: tinyRecipe.input,
    output: 'softmax',
    defaultVariant: 'int8',
    provenance: { dataset: { name: 'tiny' }, recipe: 'tiny', seed: 1, tool: 'quati test' },
  });
  t.equal(card.provenance?.commands[0], 'npx quati train tiny');
  t.equal(card.provenance?.commands.at(-1), command);
  for (const name of ['float32', 'int8'] as const) {
    const { bytes = 0, sha256 = '', accuracy = -1 } = variants[name] ?? {};
    t.match(card.variants[name], { file: `${name}.onnx`, bytes, sha256, accuracy });
  }
});

t.test(
  'the serving code accepts it: golden images keep their confidences, and samples are classified',
  async (t) => {
    const { models, put } = await setUp(t);
    const { samples, card } = await put();
    for (const variant of ['int8', 'float32'] as const) {
      const pipeline = await createPipeline({ models, variant, workers: 1, createPool: createLocalPool });
      t.ok(pipeline.ready(), pipeline.models()[0]?.problem ?? 'ready');
      const [first = ''] = samples;
      const { model, predictions } = await pipeline.classify(await readFile(first));
      t.strictSame(model, { name: 'rows', version: 1, variant });
      const golden = card.golden.find(({ file }) => path.basename(file) === path.basename(first));
      const confidences = golden?.confidences[variant] ?? [];
      const surest = card.labels[confidences.indexOf(Math.max(...confidences))];
      t.equal(predictions[0]?.category, surest);
      await pipeline.close();
    }
  },
);

t.test('samples are the first test images of each label, pixel for pixel', async (t) => {
  const { imgs, dataset, put } = await setUp(t);
  const { samples } = await put();
  const { test, labels } = await loadDataset(dataset);
  const size = test.height * test.width;
  const expected = labels.flatMap((label, index) =>
    [...test.labels.keys()]
      .filter((i) => test.labels[i] === index)
      .slice(0, 2)
      .map((i, n) => ({
        file: path.join(imgs, 'rows', `${label}-${n + 1}.png`),
        pixels: test.images.subarray(i * size, (i + 1) * size),
      })),
  );
  t.ok(expected.length >= 4);
  t.strictSame(
    samples,
    expected.map(({ file }) => file),
  );
  for (const { file, pixels } of expected) {
    const { data } = await decodeImage(await readFile(file), tinyRecipe.input, { maxPixels: size });
    t.ok(Buffer.from(pixels).equals(data), file);
  }
});

t.test('other users have permission to read a published model', async (t) => {
  const { root, put } = await setUp(t);
  const { folder } = await put();
  const usual = path.join(root, 'usual');
  await mkdir(usual);
  t.equal((await stat(folder)).mode, (await stat(usual)).mode);
});

t.test('the next version is one more than the highest, whatever other files exist', async (t) => {
  const { models, put } = await setUp(t);
  for (const entry of ['2', '10', 'notes', '11.old'])
    await mkdir(path.join(models, 'rows', entry), { recursive: true });
  t.equal((await put()).folder, path.join(models, 'rows', '11'));
  t.equal((await put({ version: 4 })).folder, path.join(models, 'rows', '4'));
});

t.test('an existing version is kept, unless replace is given', async (t) => {
  const { run, put } = await setUp(t);
  const { folder } = await put();
  const before = await contents(folder);
  await t.rejects(put({ version: 1 }), {
    constructor: PublishingError,
    message: `${folder} already exists: --replace overwrites it, --model-version <n> chooses another version`,
  });
  t.strictSame(await contents(folder), before);
  await writeWeights(run, 2);
  await writeFile(path.join(folder, 'left over.txt'), '');
  await measure(run);
  await put({ version: 1, replace: true });
  const after = await contents(folder);
  t.not(after['float32.onnx'], before['float32.onnx']);
  t.notOk(after['left over.txt'], 'nothing of the previous one stays');
  t.strictSame(await readdir(path.dirname(folder)), ['1']);
});

t.test('a failure leaves no folder', async (t) => {
  const { models, imgs, put } = await setUp(t);
  await writeFile(imgs, 'a file where a folder has to be');
  await t.rejects(put(), { code: /ENOTDIR|EEXIST/ });
  t.strictSame(await readdir(models).catch(() => []), []);
});

t.test('a failure during a replacement keeps the previous version', async (t) => {
  const { run, put } = await setUp(t);
  const { folder } = await put();
  const before = await contents(folder);
  const inTheWay = `${folder}.${process.pid}.old`;
  await mkdir(path.join(inTheWay, 'not empty'), { recursive: true });
  await writeWeights(run, 2);
  await measure(run);
  await t.rejects(put({ version: 1, replace: true }), { code: 'ENOTEMPTY' });
  t.strictSame(await contents(folder), before);
  t.strictSame(await readdir(path.dirname(folder)), ['1', path.basename(inTheWay)]);
});

t.test('an invalid model name writes nothing', async (t) => {
  const { root, put } = await setUp(t);
  const before = await readdir(root);
  for (const name of ['Rows', '../rows', 'a b', ''])
    await t.rejects(put({ name }), { constructor: CardError, message: /\/name must match pattern/ });
  t.strictSame(await readdir(root), before);
});

t.test('a run that was not measured is refused, with the command that measures it', async (t) => {
  const root = t.testdir();
  const { run } = await writeTrainedRun(root);
  await t.rejects(publish({ run, name: 'rows', command, modelsFolder: path.join(root, 'models') }), {
    constructor: EvaluationError,
    message: new RegExp(`the variants are not measured yet: run quati evaluate ${run}$`),
  });
  t.notOk((await readdir(root)).includes('models'));
});

t.test('a variant that is newer than its measurement is refused', async (t) => {
  const { run, models, put } = await setUp(t);
  await writeWeights(run, 2);
  await t.rejects(put(), {
    constructor: PublishingError,
    message: `${path.join(run, 'float32.onnx')} is newer than its measurement: run quati evaluate ${run}`,
  });
  await measure(run);
  await writeFile(path.join(run, 'float16.onnx'), 'new');
  await t.rejects(put(), { message: /float16\.onnx is newer than its measurement/ });
  t.strictSame(await readdir(models).catch(() => []), []);
});

t.test('figures from another dataset than that of the training are refused', async (t) => {
  const { run, put } = await setUp(t);
  const report = await readReport(run);
  await writeReport(run, { ...report, dataset: { name: 'tiny', sha256: 'f'.repeat(64) } });
  await t.rejects(put(), {
    constructor: PublishingError,
    message: /was trained on tiny in .*, but measured on other images: run quati evaluate /,
  });
});

t.test('a dataset that changed after the training is refused', async (t) => {
  const { dataset, put } = await setUp(t);
  await writeTinyDataset(dataset, { count: 60 });
  await t.rejects(put(), { constructor: PublishingError, message: /has changed since/ });
});
