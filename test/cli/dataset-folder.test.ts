// quati dataset prepare <folder>: its output, its report of bad files, and the input that it refuses.
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { runPrepare } from '../../src/cli/dataset.js';
import type { InputContract } from '../../src/inference/image/contract.js';
import { loadDataset } from '../../src/toolkit/datasets/load.js';
import { solidPng } from '../helpers/images.js';
import { fakeIo } from './fake-io.js';

const size = { width: 4, height: 3 };
const channels = 'gray' as const;

/** Each image has a different grey; one file in `train/cat` is not an image. */
async function photos(folder: string, splits: readonly string[], name = 'My Photos'): Promise<string> {
  const root = path.join(folder, name);
  for (const [s, split] of splits.entries())
    for (const [label, category] of ['cat', 'dog'].entries()) {
      await mkdir(path.join(root, split, category), { recursive: true });
      for (let i = 0; i < 5; i++)
        await writeFile(
          path.join(root, split, category, `${i}.png`),
          solidPng(4, 3, 100 * label + 10 * s + i),
        );
    }
  await writeFile(path.join(root, splits[0] ?? '', 'cat', 'note.txt'), 'no image');
  return root;
}

t.test('the arrays hold the images of each split of the folder, and no partial file stays', async (t) => {
  const io = fakeIo();
  const from = await photos(t.testdir({}), ['train', 'val', 'test']);
  const into = path.join(path.dirname(from), 'out');
  await runPrepare(from, { into, size, channels, skipBad: true }, io);
  t.equal(io.out(), `my-photos: 10 images to train on and 10 to test on in ${path.relative('.', into)}\n`);
  t.match(io.err(), /skipped .*note\.txt: /);
  const input: InputContract = {
    ...size,
    channels,
    fit: 'cover',
    kernel: 'linear',
    scale: 1,
    mean: [0],
    std: [1],
  };
  const [prepared, decoded] = [await loadDataset(into), await loadDataset(from, { input, skipBad: true })];
  t.strictSame(prepared.labels, ['cat', 'dog']);
  for (const split of ['train', 'validation', 'test'] as const)
    t.strictSame(prepared[split], decoded[split], split);
  t.strictSame((await readdir(path.dirname(from))).sort(), ['My Photos', 'out']);
});

t.test(
  'without a val folder there are no arrays for it, and arrays of an earlier preparation are removed',
  async (t) => {
    const both = await photos(t.testdir({}), ['train', 'val', 'test']);
    const into = path.join(path.dirname(both), 'out');
    await runPrepare(both, { into, size, skipBad: true }, fakeIo());
    t.ok((await readdir(into)).includes('x_val.npy'));
    const io = fakeIo();
    const flat = await photos(path.dirname(both), [''], 'flat');
    await runPrepare(flat, { into, size, skipBad: true, json: true }, io);
    t.match(JSON.parse(io.out()), { counts: { train: 8, test: 2 }, skipped: [{ file: /note\.txt$/ }] });
    t.notOk((await readdir(into)).includes('x_val.npy'));
    t.equal((await loadDataset(into)).validation, undefined);
  },
);

t.test('bad files are named and nothing is written; Ctrl-C leaves nothing either', async (t) => {
  const from = await photos(t.testdir({}), ['']);
  const into = path.join(path.dirname(from), 'out');
  await t.rejects(runPrepare(from, { into, size }, fakeIo()), {
    name: 'BadImagesError',
    message: /note\.txt/,
  });
  const io = fakeIo();
  const interrupted = runPrepare(from, { into, size, skipBad: true }, io);
  while (!io.err().includes('decode')) await new Promise((resolve) => setImmediate(resolve));
  io.interrupt();
  await t.rejects(interrupted, { name: 'AbortError' });
  t.strictSame(await readdir(path.dirname(from)), ['My Photos']);
});

t.test('neither size nor recipe, both of them, or a missing folder is wrong use', async (t) => {
  const from = await photos(t.testdir({}), ['']);
  await t.rejects(runPrepare(from, {}, fakeIo()), {
    name: 'WrongUseError',
    message: /--recipe <name> or --size/,
  });
  await t.rejects(runPrepare(from, { recipe: 'mnist-cnn', size }, fakeIo()), { name: 'WrongUseError' });
  await t.rejects(runPrepare('nowhere', { size }, fakeIo()), {
    name: 'WrongUseError',
    message: /^nowhere: /,
  });
  await t.rejects(runPrepare(from, { into: from, size }, fakeIo()), { name: 'FolderError' });
});
