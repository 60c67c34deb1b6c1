// All steps on the command line, in a separate folder: train, quantise, evaluate, publish, classify.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { evaluateCommand } from '../../src/cli/evaluate.js';
import { categoryOf } from '../../src/cli/image-files.js';
import { runCli } from '../../src/cli/program.js';
import { createPipeline } from '../../src/inference/pipeline.js';
import { createLocalPool } from '../helpers/local-pool.js';
import { writeTinyDataset } from '../helpers/tiny-dataset.js';
import { fakeIo } from './fake-io.js';
import { runCommand } from './run-command.js';

const digits = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

/** Measures without exact speeds. */
async function run(...argv: string[]) {
  const [command, ...flags] = argv;
  if (command === 'evaluate')
    return await runCommand((io) => evaluateCommand(io, { speedBudgetMs: 0 }), flags);
  const io = fakeIo();
  const code = await runCli(argv, io);
  return { code, out: io.out(), err: io.err() };
}

t.test('a dataset becomes a model that classifies its own samples, and its loss falls', async (t) => {
  const root = t.testdir();
  const at = (name: string) => path.join(root, name);
  const data = await writeTinyDataset(at('data'), { count: 80, side: 28, labels: digits, noise: 30 });
  const train = ['train', 'mnist-cnn', '--data', data, '--run', at('run'), '--threads', '1'];
  const settings = ['--batch-size', '8', '--epochs', '4', '--learning-rate', '0.003'];

  const trained = await run(...train, ...settings);
  t.match(trained, { code: 0, out: /^trained: 225034 parameters, 36 steps, loss .*\nNext: quati quantise / });
  const [, first, last] = /loss ([\d.]+) → ([\d.]+)/.exec(trained.out) ?? [];
  t.ok(Number(last) < Number(first) / 2, `loss ${first} → ${last}`);
  t.match(trained.err, /^epoch 1\/4 loss [\d.]+ .*\nepoch 2\/4 .*\n(.+\n)*epoch 4\/4 .*\n$/);

  t.match(await run('quantise', at('run')), { code: 0, out: /calibrated on 80 images/ });
  t.match(await run('evaluate', at('run'), '--no-pictures', '--no-memory', '--out', at('results')), {
    code: 0,
    out: /\nfloat32 .*\nfloat16 .*\nint8 /,
  });
  const folders = ['--models', at('models'), '--imgs', at('imgs')];
  const published = await run('publish', at('run'), '--as', 'rows', ...folders, '--json');
  t.equal(published.code, 0, published.err);
  const { card, samples } = JSON.parse(published.out);
  t.ok(card.variants.int8.bytes <= 0.27 * card.variants.float32.bytes);

  const pipeline = await createPipeline({ models: at('models'), workers: 1, createPool: createLocalPool });
  t.teardown(() => pipeline.close());
  t.ok(pipeline.ready(), pipeline.models()[0]?.problem ?? 'ready');
  for (const sample of samples) {
    t.ok(categoryOf(sample, digits), `${sample} has its category in its name`);
    const { model, predictions } = await pipeline.classify(await readFile(sample));
    t.strictSame(model, { name: 'rows', version: 1, variant: 'int8' });
    t.ok(digits.includes(predictions[0]?.category ?? ''));
  }
});
