// Folders of small images → splits of pixels: the split of each file, and the report of files that are not images.
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t, { type Test } from 'tap';
import type { InputContract } from '../../../src/inference/image/contract.js';
import { decodeImage } from '../../../src/inference/image/decode.js';
import { listFolder } from '../../../src/toolkit/datasets/folder.js';
import { describeDataset, loadDataset } from '../../../src/toolkit/datasets/load.js';
import { jpeg, noise, png, solidPng, webp } from '../../helpers/images.js';

const input: InputContract = {
  width: 4,
  height: 3,
  channels: 'gray',
  fit: 'contain',
  kernel: 'linear',
  scale: 1 / 255,
  mean: [0],
  std: [1],
};

async function writeImages(root: string, files: Record<string, Buffer | string>): Promise<string> {
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(path.join(root, path.dirname(name)), { recursive: true });
    await writeFile(path.join(root, name), bytes);
  }
  return root;
}

/** Category c has `each` images, all of its own grey. */
async function flat(t: Test, each = 10): Promise<string> {
  const files: Record<string, Buffer> = {};
  for (const [label, category] of ['cat', 'dog', 'emu'].entries())
    for (let i = 0; i < each; i++) files[`${category}/${i}.png`] = solidPng(4, 3, 100 * label + i);
  return await writeImages(path.join(t.testdir({}), 'pets'), files);
}

const paths = (files: readonly { path: string }[] = []) => files.map(({ path }) => path);

t.test('a fifth of each category is reserved for the test split, the same on every machine', async (t) => {
  const root = await flat(t);
  const dataset = await loadDataset(root, { input });
  t.match(dataset, { name: 'pets', labels: ['cat', 'dog', 'emu'], validation: undefined });
  t.match(dataset.train, { count: 24, width: 4, height: 3, channels: 1 });
  for (const [split, each] of [[dataset.train, 8] as const, [dataset.test, 2] as const]) {
    t.strictSame(
      [...split.labels],
      [0, 1, 2].flatMap((label) => Array<number>(each).fill(label)),
    );
    for (const [i, label] of split.labels.entries())
      t.equal(Math.floor((split.images[i * 12] ?? 0) / 100), label, 'pixels stay with their label');
  }
  const [one, two] = [await listFolder(root), await listFolder(root)];
  t.strictSame(one, two);
  t.same(
    paths(one?.train).filter((file) => paths(one?.test).includes(file)),
    [],
  );
  await writeImages(root, { 'cat/new.png': solidPng(4, 3, 1) });
  const grown = await listFolder(root);
  const before = new Set(paths(one?.test));
  t.ok(paths(grown?.test).filter((file) => before.has(file)).length >= 5, 'an image more moves at most one');
});

t.test('the folders train, val and test give the splits; val replaces the reserved part', async (t) => {
  const image = solidPng(4, 3, 9);
  const root = await writeImages(t.testdir({}), {
    'train/a/1.png': image,
    'train/b/1.png': image,
    'train/b/2.png': image,
    'val/b/1.png': image,
    'test/a/1.png': image,
    'train/.DS_Store': 'x',
    'train/a/.hidden': 'x',
    'README.txt': 'x',
  });
  const { train, validation, test } = await loadDataset(root, { input });
  t.strictSame([[...train.labels], [...(validation?.labels ?? [])], [...test.labels]], [[0, 1, 1], [1], [0]]);
  await rm(path.join(root, 'test'), { recursive: true });
  await writeImages(root, { 'train/a/2.png': image });
  const listing = await listFolder(root);
  t.same([listing?.train.length, listing?.test.length], [2, 2], 'without test, of each category of train');
});

t.test('PNG, JPEG and WebP of any size become the same pixels as in the serving code', async (t) => {
  const image = png(9, 7, 3, noise(9 * 7 * 3));
  const root = await writeImages(t.testdir({}), {
    'train/a/1.png': image,
    'train/a/2.jpg': await jpeg(8, 6, 70),
    'train/b/3.webp': await webp(4, 3, 200),
    'test/a/x': image,
  });
  const { train, test } = await loadDataset(root, { input });
  const { data } = await decodeImage(image, input, { maxPixels: 100 });
  t.strictSame([...train.images.subarray(0, 12)], [...data]);
  t.strictSame([...test.images], [...data]);
  t.strictSame([...train.images.subarray(24)], Array<number>(12).fill(200));
  const rgb = await loadDataset(root, {
    input: { ...input, channels: 'rgb', mean: [0, 0, 0], std: [1, 1, 1] },
  });
  t.match(rgb.train, { channels: 3, count: 3 });
});

t.test('all files that are not images are named; --skip-bad skips and reports them', async (t) => {
  const root = await flat(t);
  await writeImages(root, {
    'cat/3.png': 'no image',
    'emu/0.png': solidPng(4, 3, 1).subarray(0, 40),
    'emu/z.gif': '',
  });
  await t.rejects(loadDataset(root, { input }), {
    name: 'BadImagesError',
    message:
      /pets: 3 files are not images \(--skip-bad skips them\):\n.*cat\/3\.png: The bytes are no PNG, JPEG, WebP or GIF image\n.*emu\/0\.png: The png image can't be decoded.*\n.*emu\/z\.gif: The image is empty/,
  });
  const progress: number[] = [];
  const dataset = await loadDataset(root, {
    input,
    skipBad: true,
    onProgress: (files, of) => progress.push(files / of),
  });
  t.same(
    dataset.skipped?.map(({ file }) => path.relative(root, file)),
    ['cat/3.png', 'emu/0.png', 'emu/z.gif'],
  );
  t.equal(dataset.train.count + dataset.test.count, 28);
  t.same([progress.length, progress.at(-1)], [31, 1]);
  for (const { images, labels } of [dataset.train, dataset.test])
    for (const [i, label] of labels.entries()) t.equal(Math.floor((images[i * 12] ?? 0) / 100), label);
});

t.test('the checksum covers the files, their paths and splits, and needs no decoding', async (t) => {
  const root = await flat(t, 5);
  const { sha256 } = await loadDataset(root, { input });
  t.match(await describeDataset(root), { name: 'pets', labels: ['cat', 'dog', 'emu'], sha256 });
  await writeImages(root, { 'cat/0.png': solidPng(4, 3, 77) });
  t.not((await describeDataset(root)).sha256, sha256);
  await writeImages(root, { 'cat/0.png': solidPng(4, 3, 0) });
  t.equal((await describeDataset(root)).sha256, sha256);
});

t.test('links to folders and files are followed', async (t) => {
  const root = await flat(t, 3);
  await symlink(path.join(root, 'dog'), path.join(root, 'wolf'));
  t.same((await listFolder(root))?.labels, ['cat', 'dog', 'emu', 'wolf']);
});

const image = solidPng(4, 3, 9);
const refused: [title: string, files: Record<string, Buffer>, message: RegExp][] = [
  ['one category', { 'cat/1.png': image }, /expected 2 to 256 folders, one per category, got 1/],
  ['an unknown split', { 'train/a/1': image, 'train/b/1': image, 'valid/a/1': image }, /got train, valid$/],
  [
    'no train',
    { 'test/a/1': image, 'val/a/1': image },
    /expected the folders train, val and test.*got test, val$/,
  ],
  ['folders in a category', { 'a/1/1': image, 'b/1': image }, /a\/1: is a folder; expected only images/],
  ['too few images', { 'a/1': image, 'a/2': image, 'b/1': image }, /b: expected at least 2 images.*got 1/],
  [
    'a category that is not trained on',
    { 'train/a/1': image, 'train/b/1': image, 'test/c/1': image },
    /test\/c: train has no category of this name/,
  ],
];
for (const [title, files, message] of refused)
  t.test(`a folder with ${title} is refused`, async (t) => {
    const root = await writeImages(t.testdir({}), files);
    await t.rejects(loadDataset(root, { input }), { name: 'FolderError', message });
  });

t.test('an empty folder, or images without a contract, are not a prepared dataset', async (t) => {
  await t.rejects(loadDataset(t.testdir({}), { input }), { name: 'DatasetMissingError' });
  await t.rejects(loadDataset(await flat(t, 2)), { name: 'DatasetMissingError', message: /holds images/ });
});

t.test('images that do not fit into memory are refused before any is read', async (t) => {
  const root = await flat(t, 30);
  await t.rejects(loadDataset(root, { input: { ...input, channels: 'rgb', width: 4096, height: 4096 } }), {
    name: 'FolderError',
    message: /90 images of 4096x4096 take 4\.2 GiB/,
  });
});
