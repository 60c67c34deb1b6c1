// Decoded pixels on disk: the next command reads them by the file's checksum and the contract; damaged ones are never used.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import type { InputContract } from '../../../src/inference/image/contract.js';
import { decodeCacheFolder } from '../../../src/toolkit/datasets/decode-cache.js';
import { loadDataset } from '../../../src/toolkit/datasets/load.js';
import { solidPng } from '../../helpers/images.js';

const input: InputContract = {
  width: 4,
  height: 3,
  channels: 'gray',
  fit: 'cover',
  kernel: 'linear',
  scale: 1,
  mean: [0],
  std: [1],
};

async function setUp(t: { testdir(): string }) {
  const root = t.testdir();
  const photos = path.join(root, 'photos');
  for (const [i, category] of ['dark', 'light'].entries()) {
    await mkdir(path.join(photos, category), { recursive: true });
    for (let n = 0; n < 5; n++)
      await writeFile(path.join(photos, category, `${n}.png`), solidPng(8, 6, 100 * i + n));
  }
  const cache = path.join(root, 'cache');
  const decode = async (contract: InputContract = input) => {
    process.env.QUATI_CACHE = cache;
    return (await loadDataset(photos, { input: contract })).train.images;
  };
  return { cache, decode };
}

async function cached(cache: string): Promise<string[]> {
  const entries = await readdir(cache, { recursive: true, withFileTypes: true });
  return entries.flatMap((entry) => (entry.isFile() ? [path.join(entry.parentPath, entry.name)] : [])).sort();
}

t.test('the second time, pixels come unchanged from the files of the cache', async (t) => {
  const { cache, decode } = await setUp(t);
  const first = await decode();
  const files = await cached(cache);
  t.equal(files.length, 10, 'a file an image, of all splits');
  t.strictSame(await decode(), first);
  for (const file of files) await writeFile(file, new Uint8Array(12).fill(7));
  t.strictSame(new Set(await decode()), new Set([7]), 'what lies there is what is read');
});

t.test('a cached file of another length is decoded again and replaced', async (t) => {
  const { cache, decode } = await setUp(t);
  const first = await decode();
  const [file = ''] = await cached(cache);
  const whole = await readFile(file);
  await writeFile(file, whole.subarray(0, 5));
  t.strictSame(await decode(), first);
  t.strictSame(await readFile(file), whole);
});

t.test('another size or kernel uses another folder; another scale of pixel values does not', async (t) => {
  const { cache, decode } = await setUp(t);
  await decode();
  await decode({ ...input, mean: [0.5], scale: 1 / 255 });
  t.equal((await readdir(cache)).length, 1);
  await decode({ ...input, width: 5 });
  await decode({ ...input, kernel: 'nearest' });
  t.equal((await readdir(cache)).length, 3);
});

t.test('a cache that cannot be written is not used', async (t) => {
  const { cache, decode } = await setUp(t);
  await writeFile(cache, 'a file where the folder should be');
  const pixels = await decode();
  t.strictSame(pixels, await decode());
  t.ok(pixels.includes(100), 'decoded all the same');
});

t.test('the cache is in data/, or in QUATI_CACHE; an empty value turns it off', async (t) => {
  delete process.env.QUATI_CACHE;
  t.equal(decodeCacheFolder(), path.join('data', '.decoded'));
  process.env.QUATI_CACHE = '/elsewhere';
  t.equal(decodeCacheFolder(), '/elsewhere');
  process.env.QUATI_CACHE = '';
  t.equal(decodeCacheFolder(), undefined);
});
