// All steps with labels in any script, with spaces and signs: train, quantise, evaluate, publish, serve, and each protocol.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { categoryOf } from '../../src/cli/image-files.js';
import { runCli } from '../../src/cli/program.js';
import { createPipeline } from '../../src/inference/pipeline.js';
import { createApp } from '../../src/service/app.js';
import { png } from '../helpers/images.js';
import { createLocalPool } from '../helpers/local-pool.js';
import { postImage, testConfig } from '../helpers/service.js';
import { fakeIo } from './fake-io.js';

const folders = [
  'Fußgänger & Co',
  'köpek',
  '猫',
  'emoji 🐱',
  'cão'.normalize('NFD'),
  'CON',
  ' gato ',
  'st. bernard.',
  '<b>"x"|`y`',
  '%2e%2e',
  '-rf',
  'قطة',
  'x'.repeat(200),
];
const labels = folders.map((folder) => folder.normalize('NFC').trim()).sort();

/** Each category has a bright row of its own. */
async function writePhotos(root: string): Promise<void> {
  for (const [row, folder] of folders.entries()) {
    await mkdir(path.join(root, folder), { recursive: true });
    for (let n = 0; n < 5; n++) {
      const pixels = new Uint8Array(28 * 28).fill(10 * n);
      pixels.fill(255, 28 * 2 * row, 28 * 2 * (row + 1));
      await writeFile(path.join(root, folder, `${n}.png`), png(28, 28, 1, pixels));
    }
  }
}

async function run(...argv: string[]) {
  const io = fakeIo();
  const code = await runCli(argv, io);
  return { code, out: io.out(), err: io.err() };
}

t.test('labels of every kind go from folders of photos to the answers of the service', async (t) => {
  const root = t.testdir();
  const at = (name: string) => path.join(root, name);
  await writePhotos(at('my photos'));
  const settings = ['--epochs', '1', '--batch-size', '8', '--threads', '1'];
  const trained = await run(
    'train',
    'mnist-cnn',
    '--data',
    at('my photos'),
    '--run',
    at('my run'),
    ...settings,
  );
  t.match(trained, { code: 0, err: /^my photos: the folders are 13 categories \(%2e%2e, -rf, / });
  t.match(trained.out, /\nNext: quati quantise '.*\/my run'\n$/, 'a path with a space is quoted');
  t.match(await run('quantise', at('my run')), { code: 0 });
  t.match(await run('evaluate', at('my run'), '--no-memory', '--out', at('results')), { code: 0 });
  const report = await readFile(at('results/my photos/mnist-cnn/int8/classification_report.json'), 'utf8');
  t.strictSame(JSON.parse(report).labels, labels);
  const published = await run(
    'publish',
    at('my run'),
    '--as',
    'odd',
    '--models',
    at('models'),
    '--imgs',
    at('imgs'),
    '--json',
  );
  t.equal(published.code, 0, published.err);
  const { card, samples } = JSON.parse(published.out);
  t.strictSame(card.labels, labels);
  for (const { file } of card.golden) t.match(file, /^golden\/[\w.-]+$/);
  t.strictSame([...new Set<string>(samples.map((file: string) => categoryOf(file, labels)))], labels);
  t.match(await run('models', at('models')), { code: 0, out: /odd 1 / });

  const config = testConfig({ models: at('models') });
  const app = await createApp(
    config,
    await createPipeline({ ...config, workers: 1, createPool: createLocalPool }),
  );
  t.teardown(() => app.close());
  const image = await readFile(samples[0]);
  const { predictions } = (await postImage(app, '/models/odd/predict?top=13', image)).json();
  const names = (all: readonly { category: string }[]) => all.map(({ category }) => category).sort();
  t.strictSame(names(predictions), labels);
  t.strictSame((await app.inject('/models')).json().models[0].labels, labels);
  t.strictSame((await app.inject('/v2/models/odd')).json().parameters.labels, labels);
  const infer = {
    inputs: [{ name: 'image', datatype: 'BYTES', shape: [1], data: [image.toString('base64')] }],
    outputs: [{ name: 'probabilities', parameters: { classification: 13 } }],
  };
  const v2 = await app.inject({ method: 'POST', url: '/v2/models/odd/infer', payload: infer });
  const classes: string[] = v2.json().outputs[0].data;
  t.strictSame(classes.map((text) => /^[\d.]+:\d+:(.*)$/u.exec(text)?.[1]).sort(), labels);
  const instances = [{ b64: image.toString('base64') }];
  const v1 = await app.inject({ method: 'POST', url: '/v1/models/odd:predict', payload: { instances } });
  t.equal(v1.json().predictions[0].length, 13);
  for (const page of ['/docs', '/', '/metrics', '/health/ready'])
    t.equal((await app.inject(page)).statusCode, 200, page);
});
