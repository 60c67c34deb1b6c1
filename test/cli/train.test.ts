// Wrong use of quati train, quantise, evaluate and publish: exit codes and messages. Nothing is trained here.
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { runCli } from '../../src/cli/program.js';
import { runFolder } from '../../src/toolkit/training/run/run-folder.js';
import { writeTinyDataset } from '../helpers/tiny-dataset.js';
import { fakeIo } from './fake-io.js';

async function run(...argv: string[]) {
  const io = fakeIo();
  const code = await runCli(argv, io);
  return { code, out: io.out(), err: io.err() };
}

for (const command of ['train', 'quantise', 'evaluate', 'publish'])
  t.test(`quati ${command} --help shows examples`, async (t) => {
    const { code, out } = await run(command, '--help');
    t.equal(code, 0);
    t.match(out, new RegExp(`Examples:\\n  \\$ quati ${command}`));
  });

const wrong: [title: string, argv: string[], message: RegExp][] = [
  ['no recipe', ['train'], /missing: a recipe, or --backbone <model.onnx> --data <folder>/],
  ['an unknown recipe', ['train', 'magic'], /'magic' is invalid .* Allowed choices are .*mnist-cnn/],
  [
    '--resume with --force',
    ['train', 'mnist-cnn', '--resume', '--force'],
    /--resume cannot be combined with --force/,
  ],
  ['no threads', ['train', 'mnist-cnn', '--threads', '0'], /expected a positive integer/],
  ['half an image', ['quantise', '--images', '0.5'], /expected a positive integer/],
  ['a model without a name', ['publish', 'run'], /required option '--as <name>' not specified/],
  [
    'a name that no model can have',
    ['publish', 'run', '--as', 'My Model'],
    /expected lower-case letters, digits and dashes/,
  ],
  [
    'a version that is no number',
    ['publish', 'run', '--as', 'm', '--model-version', 'new'],
    /expected a positive integer/,
  ],
];
for (const [title, argv, message] of wrong)
  t.test(`${title} is wrong use: exit code 2 and a message only on stderr`, async (t) => {
    t.match(await run(...argv), { code: 2, out: '', err: message });
  });

t.test('a run that does not exist gives exit code 1 and is not created', async (t) => {
  const folder = t.testdir();
  const missing = path.join(folder, 'nothing');
  t.match(await run('quantise', missing), {
    code: 1,
    out: '',
    err: /^error: .*nothing\/run\.json: holds no record of a run: /,
  });
  t.match(await run('publish', missing, '--as', 'm', '--models', path.join(folder, 'models')), {
    code: 1,
    out: '',
    err: /^error: .*nothing: is neither a run \(run\.json\), nor a published model \(card\.json\), nor a folder of ONNX files\n$/,
  });
  t.match(await run('evaluate', missing), {
    code: 1,
    err: /nothing: is neither a run .* nor a published model/,
  });
  t.match(await run('train', 'mnist-cnn', '--data', missing, '--run', missing, '--resume'), {
    code: 1,
    err: /nothing\/run\.json: holds no record of a run: /,
  });
  t.strictSame(await readdir(folder), []);
});

t.test('training without a dataset names the command that prepares it', async (t) => {
  const folder = t.testdir();
  const [data, into] = [path.join(folder, 'mnist'), path.join(folder, 'run')];
  t.match(await run('train', 'mnist-cnn', '--data', data, '--run', into), {
    code: 1,
    out: '',
    err: /^error: .*mnist: holds no prepared dataset; make it with: npx quati dataset prepare mnist/,
  });
  t.strictSame(await readdir(folder), [], 'no run is left that would be in the way');
});

t.test('a run is overwritten only with --force', async (t) => {
  const folder = t.testdir();
  const [data, into] = [await writeTinyDataset(path.join(folder, 'data')), path.join(folder, 'run')];
  await mkdir(into);
  await writeFile(runFolder(into).checkpoint, 'kept');
  t.match(await run('train', 'mnist-cnn', '--data', data, '--run', into), {
    code: 1,
    out: '',
    err: /^error: .*run already holds a run: continue it with --resume, delete it with --force, or choose another folder with --run <folder>/,
  });
  t.strictSame(await readdir(into), ['checkpoint.safetensors']);
});
