// A dataset or a folder of images → a seeded choice of its training images, as tensors, preprocessed as for serving.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import pMap from 'p-map';
import { channelCount } from '../../inference/image/channels.js';
import type { InputContract } from '../../inference/image/contract.js';
import { decodeImage } from '../../inference/image/decode.js';
import type { Split } from '../datasets/dataset.js';
import { listFolder } from '../datasets/folder.js';
import { Leftovers } from '../datasets/leftovers.js';
import { loadDataset } from '../datasets/load.js';
import { manifestFile } from '../datasets/manifest.js';
import { readFolder } from '../datasets/read-folder.js';
import { exists } from '../files.js';
import { createRandom, permutation } from '../random.js';
import { batchCount, createBatchReader } from '../training/batches/batches.js';
import { QuantisationError } from './errors.js';
import type { CalibrationBatch } from './feeds.js';

export interface CalibrationChoice {
  /** How many images to use. All are used if there are fewer. */
  readonly images: number;
  readonly seed: number;
  /** Skip files that are not images. */
  readonly skipBad?: boolean | undefined;
}

const batchSize = 32;
const filesAtATime = 4;
const limits = { maxPixels: 100_000_000 };

/**
 * Loads the training split of a prepared dataset; or, of a folder of images with or without categories, the chosen images only.
 * @throws QuantisationError if there is no image, or a file is not an image.
 */
export async function calibrationSplit(
  folder: string,
  input: InputContract,
  choice: CalibrationChoice,
): Promise<Split> {
  const prepared = (await exists(path.join(folder, manifestFile))) || !(await exists(folder));
  if (prepared) return (await loadDataset(folder)).train;
  const files = await imagesIn(folder);
  const chosen = choose(files.length, choice);
  return await decode(
    [...chosen].map((i) => files[i] ?? ''),
    input,
    choice.skipBad === true,
  );
}

async function imagesIn(folder: string): Promise<string[]> {
  const listing = await listFolder(folder);
  if (listing) return listing.train.map((file) => path.join(folder, file.path));
  const { files } = await readFolder(folder, new Leftovers()).catch((cause: Error) => {
    throw new QuantisationError(`${folder}: cannot be read: ${cause.message}`, { cause });
  });
  if (files.length === 0)
    throw new QuantisationError(
      `${folder}: expected images or a prepared dataset to calibrate on, found neither`,
    );
  return files.map((name) => path.join(folder, name)).sort();
}

async function decode(files: readonly string[], input: InputContract, skipBad: boolean): Promise<Split> {
  const decoded = await pMap(
    files,
    async (file) => {
      try {
        return (await decodeImage(await readFile(file), input, limits)).data;
      } catch (cause) {
        if (skipBad) return undefined;
        throw new QuantisationError(`${file}: ${(cause as Error).message} (--skip-bad skips such files)`, {
          cause,
        });
      }
    },
    { concurrency: filesAtATime },
  );
  const good = decoded.filter((pixels) => pixels !== undefined);
  const { width, height } = input;
  const labels = new Uint8Array(good.length);
  return {
    images: Buffer.concat(good),
    labels,
    count: good.length,
    width,
    height,
    channels: channelCount(input),
  };
}

function choose(count: number, { images, seed }: CalibrationChoice): Uint32Array {
  return permutation(count, createRandom(seed, 'calibration')).subarray(0, images);
}

/**
 * Returns the chosen images in batches of 32. Each iteration makes them again.
 * @throws QuantisationError if the images do not have the size and channels that the model takes.
 */
export function calibrationBatches(
  split: Split,
  input: InputContract,
  choice: CalibrationChoice,
): Iterable<CalibrationBatch> {
  const { width, height, channels } = split;
  if (width !== input.width || height !== input.height || channels !== channelCount(input)) {
    throw new QuantisationError(
      `the model takes ${input.width}x${input.height} ${input.channels} images, ` +
        `but the dataset has ${width}x${height} with ${channels} channels`,
    );
  }
  const chosen = choose(split.count, choice);
  const read = createBatchReader(split, { ...input, layout: 'nchw', dataType: 'float32' }, batchSize);
  return {
    *[Symbol.iterator]() {
      for (let batch = 0; batch < batchCount(chosen.length, batchSize); batch++) yield read(chosen, batch);
    },
  };
}
