// quati publish model.onnx: each common form of a foreign model, with its flags → a model that serves.
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { runCli } from '../../src/cli/program.js';
import { loadCard } from '../../src/inference/models/card.js';
import { createPipeline } from '../../src/inference/pipeline.js';
import { encodeOnnx } from '../../src/toolkit/graph/onnx.js';
import { writeTrainedRun } from '../helpers/fixture-run.js';
import {
  foreignModels as exported,
  foreignPixels,
  runForeign as runExported,
} from '../helpers/foreign-models.js';
import {
  type ForeignModel,
  foreignInput,
  foreignModels,
  foreignOnnx,
  halves,
} from '../helpers/foreign-shapes.js';
import { createLocalPool } from '../helpers/local-pool.js';
import { smallGraph } from '../helpers/quantised-net.js';
import { tinyArchitecture } from '../helpers/tiny-dataset.js';
import { fakeIo } from './fake-io.js';

async function publish(root: string, ...argv: string[]) {
  const io = fakeIo();
  const folders = ['--models', path.join(root, 'models'), '--imgs', path.join(root, 'imgs')];
  const code = await runCli(['publish', ...argv, ...folders], io);
  return { code, out: io.out(), err: io.err() };
}

async function writeForeign(root: string, model: ForeignModel): Promise<{ file: string; labels: string }> {
  const [file, labels] = [path.join(root, `${model.name}.onnx`), path.join(root, `${model.name}.txt`)];
  await writeFile(file, foreignOnnx(model));
  await writeFile(labels, `${model.labels.join('\n')}\n`);
  return { file, labels };
}

const [pytorch = {} as ForeignModel] = foreignModels;

t.test(
  'each common form is published from only file and labels, passes its golden images, and serves',
  async (t) => {
    const root = t.testdir();
    for (const model of foreignModels) {
      const { file, labels } = await writeForeign(root, model);
      const { code, out, err } = await publish(
        root,
        file,
        '--as',
        model.name,
        '--labels',
        labels,
        '--fit',
        'fill',
      );
      t.equal(code, 0, err);
      t.match(out, new RegExp(`models/${model.name}/1: float32 \\(float32 serves\\)\n$`));
      const card = await loadCard(path.join(root, 'models', model.name, '1', 'card.json'));
      const { layout = 'nchw', dataType = 'float32', ...rest } = card.input;
      t.strictSame({ ...rest, layout, dataType }, foreignInput(model), model.name);
      t.equal(card.output, model.output, model.name);
      t.equal(card.golden.length, 4);
      t.strictSame(
        await readdir(path.join(root, 'models', model.name, '1', 'golden')),
        [1, 2, 3, 4].map((n) => `noise-${n}.png`),
      );
    }
    const models = path.join(root, 'models');
    const pipeline = await createPipeline({ models, workers: 1, createPool: createLocalPool });
    t.teardown(() => pipeline.close());
    t.strictSame(
      pipeline.models().flatMap(({ problem }) => problem ?? []),
      [],
    );
    for (const { name, labels } of foreignModels) {
      const { predictions } = await pipeline.classify(halves([230, 20, 40], [0, 255, 255]), { model: name });
      t.equal(predictions[0]?.category, labels.length === 2 ? 'warm' : 'red', name);
    }
  },
);

t.test('exports of PyTorch and Keras are published and pass their golden images', async (t) => {
  const root = t.testdir();
  for (const model of exported) {
    const file = path.join(root, `${model.name}.onnx`);
    await writeFile(file, model.bytes);
    const scores = (await runExported(model, model.bytes, foreignPixels(model, 1), 1)).length;
    const labels = path.join(root, `${model.name}.txt`);
    await writeFile(labels, Array.from({ length: Math.max(2, scores) }, (_, i) => `label ${i}`).join('\n'));
    const { code, err } = await publish(root, file, '--as', model.name, '--labels', labels);
    t.equal(code, 0, `${model.name}: ${err}`);
    const { input } = await loadCard(path.join(root, 'models', model.name, '1', 'card.json'));
    t.equal(input.dataType ?? 'float32', model.pixels, model.name);
    t.equal(input.layout ?? 'nchw', model.shape(1)[1] === 3 ? 'nchw' : 'nhwc', model.name);
  }
  const models = path.join(root, 'models');
  const pipeline = await createPipeline({ models, workers: 1, createPool: createLocalPool });
  t.teardown(() => pipeline.close());
  t.ok(pipeline.ready(), JSON.stringify(pipeline.models().map(({ problem }) => problem)));
});

t.test('a folder holds the variants of one model; a dataset measures them and gives samples', async (t) => {
  const root = t.testdir();
  const { dataset } = await writeTrainedRun(root);
  const folder = path.join(root, 'exported');
  await mkdir(folder);
  for (const [i, name] of ['net-float32.onnx', 'net-int8.onnx'].entries())
    await writeFile(path.join(folder, name), encodeOnnx(smallGraph(i + 1, tinyArchitecture)));
  const { code, out, err } = await publish(
    root,
    folder,
    '--as',
    'rows',
    '--data',
    dataset,
    '--title',
    'Rows',
  );
  t.equal(code, 0, err);
  t.match(out, /rows\/1: float32, int8 \(int8 serves\); \d samples in /);
  const card = await loadCard(path.join(root, 'models', 'rows', '1', 'card.json'));
  t.match(card, {
    title: 'Rows',
    labels: ['top', 'middle', 'bottom'],
    provenance: { dataset: { name: 'tiny' } },
  });
  for (const variant of Object.values(card.variants))
    t.ok(variant.accuracy !== undefined && variant.latencyMs !== undefined);
  await writeFile(path.join(folder, 'again.int8.onnx'), encodeOnnx(smallGraph(3, tinyArchitecture)));
  t.match(await publish(root, folder, '--as', 'rows', '--data', dataset), {
    code: 1,
    err: /again\.int8\.onnx and .*net-int8\.onnx are both int8: name each file after its variant/,
  });
});

t.test('a wrong or missing value is reported, and nothing is written', async (t) => {
  const root = t.testdir();
  const { file, labels } = await writeForeign(root, pytorch);
  const two = path.join(root, 'two.txt');
  await writeFile(two, 'a\nb\n');
  await writeFile(path.join(root, 'gap.txt'), 'a\n\nb\n');
  await writeFile(path.join(root, 'broken.onnx'), 'no model');
  const free = path.join(root, 'free.onnx');
  await writeFile(free, foreignOnnx({ ...pytorch, layout: 'nhwc', dataType: 'uint8' }));
  const { run } = await writeTrainedRun(root);
  const cases: [string[], number, RegExp][] = [
    [[file], 2, /needs --labels <file>/],
    [[file, '--labels', two], 1, /pytorch\.onnx: Output: expected 2 scores, one per label, got 3/],
    [[file, '--labels', path.join(root, 'gap.txt')], 2, /gap\.txt: line 2 is empty/],
    [[file, '--labels', path.join(root, 'none.txt')], 2, /none\.txt: cannot be read/],
    [[file, '--labels', labels, '--size', '28'], 2, /--size: width: the model takes 6, got 28/],
    [[file, '--labels', labels, '--layout', 'nhwc'], 1, /input: expected 1 or 3 channels, got 6/],
    [[free, '--labels', labels, '--mean', '0.5'], 2, /takes bytes unchanged: --scale, --mean and --std/],
    [[path.join(root, 'broken.onnx'), '--labels', labels], 1, /The model cannot be loaded/],
    [[path.join(root, 'missing.onnx'), '--labels', labels], 1, /no such file/],
    [[run, '--labels', labels], 2, /--labels is for a model\.onnx; .* is a run/],
  ];
  for (const [argv, code, err] of cases)
    t.match(await publish(root, ...argv, '--as', 'net'), { code, out: '', err }, argv.join(' '));
  t.notOk((await readdir(root)).includes('models'));
});
