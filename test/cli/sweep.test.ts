// quati sweep: its help, wrong use, and two complete runs over a tiny dataset.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { runCli } from '../../src/cli/program.js';
import { writeTinyDataset } from '../helpers/tiny-dataset.js';
import { fakeIo } from './fake-io.js';

async function run(...argv: string[]) {
  const io = fakeIo();
  const code = await runCli(argv, io);
  return { code, out: io.out(), err: io.err() };
}

t.test('quati sweep --help shows examples and every gradient', async (t) => {
  const { code, out } = await run('sweep', '--help');
  t.equal(code, 0);
  t.match(out, /Examples:\n {2}\$ quati sweep lenet5-binary/);
  t.match(out, /identity,clipped,polynomial,annealed-tanh,swish/);
});

const wrong: [title: string, argv: string[], message: RegExp][] = [
  ['a recipe without signs', ['mnist-cnn'], /'mnist-cnn' is invalid .* Allowed choices are lenet5-binary/],
  ['an unknown gradient', ['lenet5-binary', '--sign-gradients', 'clipped,x'], /expected some of .*, got x/],
  ['half a seed', ['lenet5-binary', '--seeds', '1,0.5'], /expected whole numbers, such as 1,2,3/],
];
for (const [title, argv, message] of wrong)
  t.test(`${title} is wrong use`, async (t) => {
    t.match(await run('sweep', ...argv), { code: 2, out: '', err: message });
  });

t.test('two runs give a table on stdout, one line per run on stderr, and files', async (t) => {
  const root = t.testdir({});
  const labels = ['top', 'middle', 'bottom', 'a', 'b', 'c', 'd', 'e', 'f', 'g'];
  const data = await writeTinyDataset(path.join(root, 'data'), { side: 28, labels });
  const folder = path.join(root, 'sweep');
  const choice = [
    '--sign-gradients',
    'clipped',
    '--block-orders',
    'norm-activation',
    '--activations',
    'binary',
  ];
  const argv = ['sweep', 'lenet5-binary', ...choice, '--seeds', '1,2', '--epochs', '1', '--threads', '1'];
  const { code, out, err } = await run(...argv, '--data', data, '--run', folder);
  t.equal(code, 0, err);
  t.match(out, /\| weights and activations \| clipped \| norm-activation \| [\d.]+ ± [\d.]+ % \| 2 \|/);
  t.match(
    err,
    /^binary-clipped-norm-activation-1 accuracy [\d.]+ %, \d+ s\nbinary-clipped-norm-activation-2 /,
  );
  t.same((await readdir(folder)).sort(), [
    'binary-clipped-norm-activation-1',
    'binary-clipped-norm-activation-2',
    'sweep.json',
    'sweep.md',
    'sweep.png',
    'sweep.svg',
  ]);
  t.match(await run(...argv, '--data', data, '--run', folder, '--json'), {
    code: 0,
    err: '',
    out: /"finished": true/,
  });
});
