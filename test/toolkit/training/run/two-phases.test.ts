// A folder of shapes and a tiny backbone → head, fine-tuning, a resumed run, and float32.onnx; dogs-vs-cats from its layouts.
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { evaluateCommand } from '../../../../src/cli/evaluate.js';
import { runCli } from '../../../../src/cli/program.js';
import { trainCommand } from '../../../../src/cli/train.js';
import { createPipeline } from '../../../../src/inference/pipeline.js';
import { prepareDogsVsCats } from '../../../../src/toolkit/datasets/dogs-vs-cats.js';
import { labelOf } from '../../../../src/toolkit/datasets/dogs-vs-cats-names.js';
import { readRun } from '../../../../src/toolkit/training/run/run-folder.js';
import { fakeIo } from '../../../cli/fake-io.js';
import { runCommand } from '../../../cli/run-command.js';
import { backboneOnnx } from '../../../helpers/backbone-fixture.js';
import { png } from '../../../helpers/images.js';
import { createLocalPool } from '../../../helpers/local-pool.js';
import { startLocalThread } from '../../../helpers/local-training.js';

/** Trains without a thread, and measures without exact speeds and serving processes. Each has its own tests. */
async function run(command: string, ...argv: string[]) {
  if (command === 'train')
    return await runCommand((io) => trainCommand(io, { startThread: startLocalThread }), argv);
  if (command === 'evaluate')
    return await runCommand((io) => evaluateCommand(io, { speedBudgetMs: 0 }), ['--no-memory', ...argv]);
  const io = fakeIo();
  const code = await runCli([command, ...argv], io);
  return { code, out: io.out(), err: io.err() };
}

/** Red squares and blue ones, each somewhere else on noise. */
function square(red: boolean, seed: number): Uint8Array {
  const pixels = Uint8Array.from({ length: 32 * 32 * 3 }, (_, i) => (i * (seed + 3) * 31) % 60);
  for (let y = 8 + (seed % 5); y < 22; y++)
    for (let x = 6 + (seed % 7); x < 22; x++) pixels[(y * 32 + x) * 3 + (red ? 0 : 2)] = 230;
  return png(32, 32, 3, pixels);
}

async function writeShapes(
  root: string,
  name: (red: boolean, i: number) => string,
  each = 20,
): Promise<string> {
  for (const red of [true, false])
    for (let i = 0; i < each; i++) {
      const file = path.join(root, name(red, i));
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, square(red, i));
    }
  return root;
}

t.test(
  'a head, then all layers: one sigmoid output for two labels; a resumed run ends the same',
  async (t) => {
    const root = t.testdir({});
    const at = (name: string) => path.join(root, name);
    const data = await writeShapes(at('shapes'), (red, i) => `${red ? 'red' : 'blue'}/${i}.png`);
    await writeFile(at('tiny.onnx'), backboneOnnx());
    const train = ['train', '--backbone', at('tiny.onnx'), '--data', data] as const;
    const contract = ['--scale', '1/127.5', '--mean', '1', '--std', '1'];
    const settings = [
      '--loss',
      'sigmoid',
      '--epochs',
      '2',
      '--head-epochs',
      '15',
      '--head-learning-rate',
      '0.2',
      '--threads',
      '1',
      '--portable',
    ];
    t.match(await run(...train, '--run', at('run')), {
      code: 2,
      err: /its name does not imply how its pixels are scaled/,
    });
    const trained = await run(...train, ...contract, ...settings, '--run', at('run'), '--json');
    t.equal(trained.code, 0, trained.err);
    t.match(trained.err, /^head epoch 1\/17 /m);
    t.match(trained.err, /^fine-tune epoch 17\/17 .* precision .* recall /m);
    const { recipe, labels } = await readRun(at('run'));
    t.match(recipe, { name: 'tiny', loss: { kind: 'sigmoid' }, backbone: { fineTune: 2, features: 'pool' } });
    t.strictSame(labels, ['blue', 'red']);
    t.match(await run('quantise', at('run')), { code: 0 });
    const measured = await run('evaluate', at('run'), '--no-pictures', '--out', at('results'), '--json');
    const [report] = Object.values(JSON.parse(measured.out)) as {
      variants: { float32: { accuracy: number } };
    }[];
    t.equal(report?.variants.float32.accuracy, 1);
    await t.test('the model serves, with its attribution and without images of the dataset', async (t) => {
      const folders = ['--models', at('models'), '--imgs', at('imgs')];
      const attribution = ['--attribution', 'Shapes: nobody, CC0', '--attribution', 'Backbone: a test'];
      const flags = ['--as', 'shapes', ...folders, '--drawn', ...attribution, '--json'];
      const published = await run('publish', at('run'), ...flags);
      t.equal(published.code, 0, published.err);
      t.match(JSON.parse(published.out), {
        samples: [],
        card: { output: 'sigmoid', attribution: ['Shapes: nobody, CC0', 'Backbone: a test'] },
      });
      t.match(await readdir(path.join(at('models'), 'shapes', '1', 'golden')), [/^drawn-1\.png$/]);
      const pipeline = await createPipeline({
        models: at('models'),
        workers: 1,
        createPool: createLocalPool,
      });
      t.teardown(() => pipeline.close());
      for (const [red, category] of [
        [true, 'red'],
        [false, 'blue'],
      ] as const) {
        const { predictions } = await pipeline.classify(square(red, 100));
        t.equal(predictions[0]?.category, category);
        t.equal(predictions.length, 2);
      }
    });

    const losses = (json: string) => JSON.parse(json).history.map(({ loss }: { loss: number }) => loss);
    for (const [phase, steps] of [
      ['head', '7'],
      ['second phase', '17'],
    ] as const) {
      await run(...train, ...contract, ...settings, '--run', at(phase), '--max-steps', steps);
      const resumed = await run(...train, '--run', at(phase), '--resume', '--json');
      t.equal(resumed.code, 0, resumed.err);
      t.strictSame(losses(resumed.out), losses(trained.out), `stopped in the ${phase}`);
    }
  },
);

t.test('dogs-vs-cats recognises the published layouts by their names', async (t) => {
  t.match(labelOf('images/Abyssinian_12.jpg'), { category: 'cat', group: 'Abyssinian' });
  t.match(labelOf('images/american_bulldog_12.jpg'), { category: 'dog', group: 'american_bulldog' });
  t.match(labelOf('PetImages/Dog/7.jpg'), { category: 'dog', group: 'dog' });
  t.match(labelOf('train/cat.123.jpg'), { category: 'cat', split: 'train' });
  t.equal(labelOf('test1/7.jpg'), undefined);
});

t.test('photos are split by seed, and photos that cannot be decoded are dropped and named', async (t) => {
  const root = t.testdir({});
  const from = await writeShapes(path.join(root, 'kaggle'), (red, i) => `${red ? 'cat' : 'dog'}.${i}.png`);
  await writeFile(path.join(from, 'cat.99.jpg'), 'no image');
  const into = path.join(root, 'data');
  const prepared = await prepareDogsVsCats({ from, into });
  t.match(prepared.counts, { train: { cat: Number, dog: 14 }, val: { dog: 2 }, test: { dog: 4 } });
  t.match(prepared.dropped, [{ file: 'cat.99.jpg' }]);
  await t.rejects(prepareDogsVsCats({ from, into }), {
    name: 'FolderError',
    message: /already exists; --force/,
  });
  const first = await readdir(path.join(into, 'test', 'dog'));
  await prepareDogsVsCats({ from, into, force: true });
  t.strictSame(await readdir(path.join(into, 'test', 'dog')), first, 'the same photos again');
});
