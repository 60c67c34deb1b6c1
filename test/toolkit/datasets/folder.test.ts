// Folders of small images → splits of pixels: the split of each file, and the report of files that are not images.
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t, { type Test } from 'tap';
import type { InputContract } from '../../../src/inference/image/contract.js';
import { decodeImage } from '../../../src/inference/image/decode.js';
import { listFolder } from '../../../src/toolkit/datasets/folder.js';
import { describeDataset, loadDataset } from '../../../src/toolkit/datasets/load.js';
import { jpeg, noise, png, solidPng, webp } from '../../helpers/images.js';
import { avifFile, heicFile } from '../../helpers/other-files.js';

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

const image = solidPng(4, 3, 9);

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

t.test(
  'bus, car and train are three categories; split names count only if train holds folders',
  async (t) => {
    const files = (folders: readonly string[]) =>
      Object.fromEntries(folders.flatMap((folder) => [1, 2].map((n) => [`${folder}/${n}.png`, image])));
    const vehicles = await writeImages(
      path.join(t.testdir({}), 'vehicles'),
      files(['bus', 'car', 'train', '@eaDir']),
    );
    await writeImages(vehicles, { 'train/@eaDir/1.png': image });
    const listing = await listFolder(vehicles);
    t.same(listing?.labels, ['bus', 'car', 'train']);
    t.same(listing?.notes, [
      'vehicles: the folders are 3 categories (bus, car, train); a fifth of each is reserved for the test split',
      'vehicles: passed over files of a network drive: 2 (@eaDir)',
    ]);
    const exams = await writeImages(
      path.join(t.testdir({}), 'exams'),
      files(['essay', 'test', 'validation']),
    );
    t.same((await listFolder(exams))?.labels, ['essay', 'test', 'validation']);
  },
);

for (const [train, validation, test] of [
  ['train', 'valid', 'test'],
  ['training', 'validation', 'testing'],
  ['Train', 'Val', 'Test'],
] as const)
  t.test(`${train}, ${validation} and ${test} are the splits, and the notes say so`, async (t) => {
    const folders = [`${train}/a`, `${train}/b`, `${validation}/b`, `${test}/a`, `${test}/b`];
    const root = await writeImages(
      path.join(t.testdir({}), 'pets'),
      Object.fromEntries(folders.map((folder) => [`${folder}/1.png`, image])),
    );
    const listing = await listFolder(root);
    t.same([listing?.train.length, listing?.validation?.length, listing?.test.length], [2, 1, 2]);
    t.match(listing?.notes[0], /^pets: the folders .* are splits with 2 categories \(a, b\)$/);
  });

t.test(
  'labels in any script, with spaces and signs, are the names of the folders in the form NFC',
  async (t) => {
    const names = [
      'Fußgänger & Co',
      'ko\u0308pek',
      '猫',
      'emoji 🐱',
      'CON',
      ' gato ',
      'st. bernard.',
      '%2e',
      'x'.repeat(200),
    ];
    const root = await writeImages(
      t.testdir({}),
      Object.fromEntries(names.flatMap((name) => [1, 2].map((n) => [`${name}/${n}.png`, image]))),
    );
    const dataset = await loadDataset(root, { input });
    t.strictSame(dataset.labels, names.map((name) => name.normalize('NFC').trim()).sort());
    t.equal(dataset.train.count, names.length);
  },
);

t.test(
  'folders that are equal after NFC are one category, on every system with the same splits',
  async (t) => {
    const [nfc, nfd] = ['cão', 'cão'.normalize('NFD')];
    const both = await writeImages(t.testdir({}), {
      [`${nfc}/1.png`]: solidPng(4, 3, 1),
      [`${nfd}/2.png`]: solidPng(4, 3, 2),
      [`${nfd}/é.png`]: solidPng(4, 3, 3),
      'gato/1.png': image,
      'gato/2.png': image,
    });
    const merged = await listFolder(both);
    t.same(merged?.labels, ['cão', 'gato']);
    t.match(merged?.notes[1], /^cão: 2 folders with this name are one category$/);
    const checksums = await Promise.all(
      (['NFC', 'NFD'] as const).map(async (form) => {
        const files = ['cão/1.png', 'cão/é.png', 'cão/z.png', 'gato/1.png', 'gato/2.png'];
        const named = Object.fromEntries(files.map((file, i) => [file.normalize(form), solidPng(4, 3, i)]));
        return (await loadDataset(await writeImages(path.join(t.testdir({}), form), named), { input }))
          .sha256;
      }),
    );
    t.equal(checksums[0], checksums[1]);
  },
);

t.test(
  'what systems, cameras and network drives leave behind is passed over and counted, by kind',
  async (t) => {
    const root = await flat(t, 3);
    const left = [
      '.DS_Store',
      'cat/.DS_Store',
      'cat/._0.png',
      '__MACOSX/cat/._0.png',
      'cat/Thumbs.db',
      'cat/desktop.ini',
      'dog/0.png:Zone.Identifier',
      'dog/@eaDir/0.png/SYNOPHOTO_THUMB_M.jpg',
      'dog/IMG_1.AAE',
      'dog/IMG_1.MOV',
      'emu/0.png.json',
      'emu/..x',
      '.ipynb_checkpoints/x',
      'README.txt',
    ];
    await writeImages(root, Object.fromEntries(left.map((name) => [name, 'x'])));
    const listing = await listFolder(root);
    t.equal((listing?.train.length ?? 0) + (listing?.test.length ?? 0), 9);
    t.equal(
      listing?.notes[1],
      'pets: passed over macOS files: 4 (.DS_Store, __MACOSX, ._*), Windows files: 3 (Thumbs.db, desktop.ini, 0.png:Zone.Identifier), ' +
        'files of a network drive: 1 (@eaDir), videos: 1 (IMG_1.MOV), notes of a camera or photo program: 2 (IMG_1.AAE, 0.png.json), ' +
        'hidden files: 2 (.ipynb_checkpoints, ..x), files outside of a category: 1 (README.txt)',
    );
  },
);

t.test('HEIC and AVIF photos are named as what they are, also with the ending .jpg', async (t) => {
  const root = await flat(t, 2);
  await writeImages(root, { 'cat/a.jpg': heicFile(), 'dog/b.heic': heicFile(), 'dog/c.avif': avifFile() });
  await t.rejects(loadDataset(root, { input }), {
    name: 'BadImagesError',
    message:
      /3 files are not images.*\n.*a\.jpg: The file is HEIC.*heif-convert.*\n.*b\.heic: The file is HEIC.*\n.*c\.avif: The file is AVIF/,
  });
});

t.test('a file whose name is not UTF-8 and a link that leads nowhere are bad images', async (t) => {
  const root = await flat(t, 3);
  await writeFile(
    Buffer.concat([Buffer.from(`${root}/cat/k`), Buffer.from([0xf6]), Buffer.from('.png')]),
    image,
  );
  await symlink('nowhere', path.join(root, 'dog/lost.png'));
  await t.rejects(loadDataset(root, { input }), {
    message: /its name is not valid UTF-8 \(convmv.*\n.*lost\.png: ENOENT/,
  });
  const { sha256, skipped } = await loadDataset(root, { input, skipBad: true });
  t.equal(skipped?.length, 2);
  t.equal((await describeDataset(root)).sha256, sha256);
});

t.test('an archive in place of a folder is refused with the remedy', async (t) => {
  const root = t.testdir({ 'photos.zip': 'PK' });
  await t.rejects(loadDataset(path.join(root, 'photos.zip'), { input }), {
    name: 'FolderError',
    message: /photos\.zip: is a file; expected a folder of images \(unpack an archive\)/,
  });
});

const refused: [title: string, files: Record<string, Buffer>, message: RegExp][] = [
  ['one category', { 'cat/1.png': image }, /expected 2 to 256 folders, one per category, got 1/],
  [
    'splits and another folder',
    { 'train/a/1': image, 'train/b/1': image, 'extra/1': image },
    /got extra, train, where train holds folders$/,
  ],
  [
    'two splits of one kind',
    { 'train/a/1': image, 'val/a/1': image, 'valid/a/1': image },
    /val and valid are both/,
  ],
  [
    'train and test without categories',
    { 'train/1': image, 'test/1': image },
    /where train holds no folders$/,
  ],
  [
    'a wrapping folder',
    { 'photos/a/1': image, 'photos/b/1': image },
    /got 1; if that one holds.* give .*photos$/,
  ],
  [
    'a line break in a category',
    { 'a\nb/1': image, 'c/1': image },
    /the name has a control character.*rename it/,
  ],
  [
    'no train',
    { 'test/a/1': image, 'val/a/1': image },
    /named like splits, so expected train.*got test, val without train$/,
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
