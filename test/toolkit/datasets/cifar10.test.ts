// CIFAR-10's images and labels in the package and in the official binary files.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { create } from 'tar';
import { readCifarBinaries } from '../../../src/toolkit/datasets/cifar-binary.js';
import { cifar10Recipe, prepareCifar10From, readPngBatches } from '../../../src/toolkit/datasets/cifar10.js';
import { loadDataset } from '../../../src/toolkit/datasets/load.js';
import { png } from '../../helpers/images.js';
import { mulberry32 } from '../../helpers/seeded-values.js';

const pixelBytes = 3 * 32 * 32;
const names = ['data_batch_1', 'data_batch_2', 'data_batch_3', 'data_batch_4', 'data_batch_5', 'test_batch'];

/** Seeded pixels of `count` images, interleaved. */
function pixelsOf(seed: number, count: number): Uint8Array {
  const random = mulberry32(seed);
  return Uint8Array.from({ length: count * pixelBytes }, () => Math.floor(random() * 256));
}

/** Records as the official files hold them: the label, then the red, the green and the blue plane. */
function recordsOf(pixels: Uint8Array, labels: readonly number[]): Buffer {
  const records = labels.map((label, image) => {
    const own = pixels.subarray(image * pixelBytes, (image + 1) * pixelBytes);
    const planes = [0, 1, 2].map((channel) => own.filter((_, i) => i % 3 === channel));
    return Buffer.concat([Buffer.from([label]), ...planes]);
  });
  return Buffer.concat(records);
}

/** Two images a file; file n's labels are n and n + 1. */
async function writeBinaries(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [n, name] of names.entries())
    await writeFile(path.join(folder, `${name}.bin`), recordsOf(pixelsOf(n, 2), [n, n + 1]));
}

const trainPixels = Buffer.concat([0, 1, 2, 3, 4].map((n) => pixelsOf(n, 2)));

t.test('the rows of the sprite images become images, in their order', async (t) => {
  const folder = t.testdir({ 'labels.json': '[3,0,9,1]' });
  for (const n of [0, 1]) await writeFile(path.join(folder, `${n}.png`), png(1024, 2, 3, pixelsOf(n, 2)));
  const split = await readPngBatches(folder, {
    pictures: ['0.png', '1.png'],
    labels: 'labels.json',
    imagesEach: 2,
  });
  t.match(split, { count: 4, height: 32, width: 32, channels: 3 });
  t.ok(trainPixels.subarray(0, 4 * pixelBytes).equals(split.images));
  t.strictSame([...split.labels], [3, 0, 9, 1]);
});

t.test(
  'the folder of the binary version, its parent folder, and the archive give the same images',
  async (t) => {
    const folder = t.testdir({});
    const inner = path.join(folder, 'cifar-10-batches-bin');
    await writeBinaries(inner);
    const archive = path.join(folder, 'cifar-10-binary.tar.gz');
    await create({ gzip: true, cwd: folder, file: archive, portable: true }, ['cifar-10-batches-bin']);
    for (const from of [inner, folder, archive]) {
      const scratch = path.join(folder, `scratch-${path.basename(from)}`);
      await mkdir(scratch);
      const { train, test } = await readCifarBinaries(from, scratch);
      t.match(train, { count: 10, height: 32, width: 32, channels: 3 });
      t.ok(trainPixels.equals(train.images), from);
      t.strictSame([...train.labels], [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]);
      t.ok(Buffer.from(pixelsOf(5, 2)).equals(test.images));
      t.strictSame([...test.labels], [5, 6]);
    }
  },
);

t.test(
  'images that differ from the published ones are refused, or accepted and marked as unverified',
  async (t) => {
    const folder = t.testdir({});
    const from = path.join(folder, 'bin');
    await writeBinaries(from);
    const into = path.join(folder, 'data', 'cifar10');
    await t.rejects(prepareCifar10From({ from, into }), {
      name: 'IntegrityError',
      message: /the train images are not those of CIFAR-10: sha256: expected f912919b.* add --unverified/,
    });
    await t.rejects(loadDataset(into), { name: 'DatasetMissingError' }, 'nothing was written');
    const { manifest } = await prepareCifar10From({ from, into, unverified: true });
    t.match(manifest, { source: { folder: from, verified: false }, counts: { train: 10, test: 2 } });
    const { train, labels } = await loadDataset(into);
    t.ok(trainPixels.equals(train.images));
    t.strictSame(labels, cifar10Recipe.labels);
  },
);

t.test('a missing, truncated or mislabelled file is an error with its name', async (t) => {
  const folder = t.testdir({});
  const file = path.join(folder, 'data_batch_2.bin');
  const read = () => readCifarBinaries(folder, folder);
  await t.rejects(read(), {
    name: 'CifarBinaryError',
    message: /data_batch_\d\.bin: cannot be read: ENOENT/,
  });
  await writeBinaries(folder);
  await writeFile(file, Buffer.alloc(3073 + 7));
  await t.rejects(read(), {
    message: `${file}: expected whole records of 3073 bytes, got 3080 bytes`,
  });
  await writeFile(file, recordsOf(pixelsOf(0, 2), [9, 10]));
  await t.rejects(read(), { message: `${file}: label 1: expected 0…9, got 10` });
  await t.rejects(readCifarBinaries(path.join(folder, 'none'), folder), { message: /none: cannot be read/ });
  const archive = path.join(folder, 'cifar.tar.gz');
  await writeFile(archive, 'no archive');
  await t.rejects(readCifarBinaries(archive, folder), { message: /cifar\.tar\.gz: cannot be unpacked: / });
});
