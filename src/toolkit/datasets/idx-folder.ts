// A folder with a dataset's four IDX files, plain or gzipped → its splits, checked against each other and the published checksums.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Split } from './dataset.js';
import { IdxError, IntegrityError } from './errors.js';
import { parseIdx, unzip } from './idx.js';
import type { PackageFile } from './package-files.js';
import type { Splits } from './prepare.js';

export interface IdxFiles {
  train: { images: PackageFile; labels: PackageFile };
  test: { images: PackageFile; labels: PackageFile };
}

export interface IdxFolderChecks {
  /** Accept files with other checksums and any number of images. */
  readonly unverified: boolean;
  readonly labels: number;
}

/**
 * Reads a dataset.
 * @param published names of the files, and checksums of their unzipped bytes.
 * @throws IdxError naming the file that is missing, malformed, or contradicts another.
 * @throws IntegrityError naming the file that is not the published one.
 */
export async function readIdxFolder(
  folder: string,
  published: IdxFiles,
  checks: IdxFolderChecks,
): Promise<Splits> {
  const train = await readSplit(folder, published.train, checks);
  const test = await readSplit(folder, published.test, checks);
  if (train.width !== test.width || train.height !== test.height)
    throw new IdxError(
      `${folder}: test images: expected ${train.height} x ${train.width}, got ${test.height} x ${test.width}`,
    );
  return { train, test };
}

async function readSplit(
  folder: string,
  { images, labels }: IdxFiles['train'],
  checks: IdxFolderChecks,
): Promise<Split> {
  const pixels = await readIdx(folder, images, 3, checks);
  const answers = await readIdx(folder, labels, 1, checks);
  const [count = 0, height = 0, width = 0] = pixels.dims;
  if (answers.data.length !== count)
    throw new IdxError(`${answers.file}: expected ${count} labels, got ${answers.data.length}`);
  const wrong = answers.data.findIndex((label) => label >= checks.labels);
  if (wrong !== -1)
    throw new IdxError(
      `${answers.file}: label ${wrong}: expected 0…${checks.labels - 1}, got ${answers.data[wrong]}`,
    );
  return { images: pixels.data, labels: answers.data, count, height, width, channels: 1 };
}

async function readIdx(
  folder: string,
  { path: inPackage, sha256 }: PackageFile,
  dimensions: number,
  { unverified }: IdxFolderChecks,
) {
  const { file, bytes } = await findFile(folder, path.posix.basename(inPackage));
  const plain = unzip(bytes, file);
  const got = createHash('sha256').update(plain).digest('hex');
  if (!unverified && got !== sha256)
    throw new IntegrityError(
      `${file}: is not the published file: sha256: expected ${sha256}, got ${got}. ` +
        'Fetch it again, or add --unverified if it is another dataset in this format',
    );
  return { file, ...parseIdx(plain, file, dimensions) };
}

/** Some mirrors write a dot where the original has a hyphen: `train-images.idx3-ubyte`. */
async function findFile(folder: string, name: string): Promise<{ file: string; bytes: Uint8Array }> {
  const names = [name, name.replace('-idx', '.idx')].flatMap((base) => [base, `${base}.gz`]);
  for (const candidate of names) {
    const file = path.join(folder, candidate);
    try {
      return { file, bytes: await readFile(file) };
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT')
        throw new IdxError(`${file}: cannot be read: ${(cause as Error).message}`, { cause });
    }
  }
  throw new IdxError(`${folder}: holds none of ${names.join(', ')}`);
}
