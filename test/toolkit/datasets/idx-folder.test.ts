// The four IDX files in a folder → a prepared dataset, without a registry.
import { createHash } from 'node:crypto';
import { readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { readIdxFolder } from '../../../src/toolkit/datasets/idx-folder.js';
import { loadDataset } from '../../../src/toolkit/datasets/load.js';
import { mnistRecipe, prepareMnist, prepareMnistFrom } from '../../../src/toolkit/datasets/mnist.js';
import { idxBytes } from './tiny-package.js';

const contents = {
  'train-images-idx3-ubyte': idxBytes([2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 255]),
  'train-labels-idx1-ubyte': idxBytes([2], [0, 9]),
  't10k-images-idx3-ubyte': idxBytes([1, 2, 2], [20, 21, 22, 23]),
  't10k-labels-idx1-ubyte': idxBytes([1], [1]),
};
type Name = keyof typeof contents;

const published = (name: Name) => ({
  path: `data/${name}`,
  sha256: createHash('sha256').update(contents[name]).digest('hex'),
});
const files = {
  train: { images: published('train-images-idx3-ubyte'), labels: published('train-labels-idx1-ubyte') },
  test: { images: published('t10k-images-idx3-ubyte'), labels: published('t10k-labels-idx1-ubyte') },
};
const strict = { unverified: false, labels: 10 };

async function write(folder: string, changed: Partial<Record<Name, Buffer>> = {}): Promise<string> {
  for (const [name, bytes] of Object.entries({ ...contents, ...changed }))
    await writeFile(path.join(folder, name), bytes);
  return folder;
}

t.test(
  'plain, gzipped and dotted file names give the same data, with the checksum of the content',
  async (t) => {
    const folder = t.testdir({});
    await writeFile(path.join(folder, 'train-images-idx3-ubyte'), contents['train-images-idx3-ubyte']);
    await writeFile(path.join(folder, 'train-labels.idx1-ubyte'), contents['train-labels-idx1-ubyte']);
    await writeFile(
      path.join(folder, 't10k-images-idx3-ubyte.gz'),
      gzipSync(contents['t10k-images-idx3-ubyte']),
    );
    await writeFile(
      path.join(folder, 't10k-labels.idx1-ubyte.gz'),
      gzipSync(contents['t10k-labels-idx1-ubyte']),
    );
    const { train, test } = await readIdxFolder(folder, files, strict);
    t.match(train, { count: 2, height: 2, width: 2, channels: 1 });
    t.strictSame([[...train.labels], [...test.labels]], [[0, 9], [1]]);
    t.strictSame([...test.images], [20, 21, 22, 23]);
  },
);

t.test(
  'a file that differs from the published one is refused by name, unless --unverified is given',
  async (t) => {
    const other = { 't10k-labels-idx1-ubyte': idxBytes([1], [2]) };
    const folder = await write(t.testdir({}), other);
    await t.rejects(readIdxFolder(folder, files, strict), {
      name: 'IntegrityError',
      message: /t10k-labels-idx1-ubyte: is not the published file: sha256: expected .*add --unverified/,
    });
    const { test } = await readIdxFolder(folder, files, { ...strict, unverified: true });
    t.strictSame([...test.labels], [2]);
  },
);

const wrong: [title: string, changed: Partial<Record<Name, Buffer>>, message: RegExp][] = [
  ['fewer labels than images', { 'train-labels-idx1-ubyte': idxBytes([1], [0]) }, /expected 2 labels, got 1/],
  [
    'a label beyond the last',
    { 'train-labels-idx1-ubyte': idxBytes([2], [0, 10]) },
    /label 1: expected 0…9, got 10/,
  ],
  [
    'images to test on of another size',
    { 't10k-images-idx3-ubyte': idxBytes([1, 1, 2], [1, 2]) },
    /expected 2 x 2, got 1 x 2/,
  ],
  [
    'labels in the place of images',
    { 't10k-images-idx3-ubyte': idxBytes([1], [1]) },
    /expected 3 dimensions, got 1/,
  ],
];
for (const [title, changed, message] of wrong)
  t.test(`${title}: refused, unverified or not`, async (t) => {
    const folder = await write(t.testdir({}), changed);
    await t.rejects(readIdxFolder(folder, files, { unverified: true, labels: 10 }), {
      name: 'IdxError',
      message,
    });
  });

t.test('the error for a missing file lists all its possible names', async (t) => {
  const folder = await write(t.testdir({}));
  await rm(path.join(folder, 't10k-labels-idx1-ubyte'));
  await t.rejects(readIdxFolder(folder, files, strict), {
    name: 'IdxError',
    message: /holds none of t10k-labels-idx1-ubyte, .*\.gz, t10k-labels\.idx1-ubyte, /,
  });
});

t.test('a prepared dataset states its source and loads; refused files leave nothing', async (t) => {
  const root = t.testdir({ from: {}, data: {} });
  const from = await write(path.join(root, 'from'));
  const into = path.join(root, 'data/mnist');
  await t.rejects(prepareMnistFrom({ from, into }), { name: 'IntegrityError' });
  t.strictSame(await readdir(path.join(root, 'data')), []);
  const steps: string[] = [];
  const onProgress = ({ step, done, total }: { step: string; done: number; total: number }) =>
    steps.push(`${done}/${total} ${step}`);
  const { manifest } = await prepareMnistFrom({ from, into, unverified: true, onProgress });
  t.match(manifest, {
    name: 'mnist',
    counts: { train: 2, test: 1 },
    source: { folder: from, verified: false },
  });
  t.match([steps.at(0), steps.at(-1)], [`0/5 read ${from}`, '5/5 done']);
  t.match(await loadDataset(into), { name: 'mnist', train: { count: 2 } });
});

t.test('verified files count as the published dataset, others do not', async (t) => {
  const root = t.testdir({ from: {} });
  const into = path.join(root, 'mnist');
  const { manifest } = await prepareMnistFrom({
    from: await write(path.join(root, 'from')),
    into,
    unverified: true,
  });
  const pack = () => Promise.reject(new Error('fetched'));
  await t.rejects(prepareMnist({ into, pack }), { message: 'fetched' });
  const source = { folder: 'elsewhere', verified: true };
  await writeFile(path.join(into, 'dataset.json'), JSON.stringify({ ...manifest, source }));
  t.equal((await prepareMnist({ into, pack })).status, 'complete');
  t.equal(mnistRecipe.name, 'mnist');
});
