// A folder → its dataset in memory. The folder holds a prepared dataset, checked against its dataset.json, or images by category.
import path from 'node:path';
import type { InputContract } from '../../inference/image/contract.js';
import type { Dataset, Split } from './dataset.js';
import { decodeCacheFolder } from './decode-cache.js';
import { decodeFolder, hashFolder } from './decode-folder.js';
import { DatasetDamagedError, DatasetMissingError } from './errors.js';
import { type FolderListing, listFolder } from './folder.js';
import {
  type ArrayFile,
  type Manifest,
  manifestSha256,
  readManifest,
  remedy,
  verifyFiles,
} from './manifest.js';
import { type NpyArray, readNpy } from './npy.js';

export interface LoadOptions {
  /** How to decode the images of a folder. Those of a prepared dataset are decoded. */
  readonly input: InputContract;
  /** Skip files that are not images. */
  readonly skipBad?: boolean | undefined;
  /** Called after each image of a folder. */
  readonly onProgress?: ((files: number, of: number) => void) | undefined;
  /** Ends the decoding with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Loads a dataset. If the folder has a dataset.json, this checks that its files are undamaged and reads them. Otherwise it
 * decodes the images in the folder's categories (folder.ts describes the layout).
 * @param options are needed for a folder of images.
 * @throws DatasetMissingError if the folder holds neither; the message names the command that prepares a dataset.
 * @throws DatasetDamagedError or NpyError naming the file and what is wrong.
 * @throws FolderError or BadImagesError naming what is wrong with a folder of images.
 */
export async function loadDataset(folder: string, options?: LoadOptions): Promise<Dataset> {
  const found = await findDataset(folder);
  if ('files' in found) return await loadPrepared(folder, found);
  if (options === undefined)
    throw new DatasetMissingError(`${folder}: holds images instead of a prepared dataset; ${remedy(folder)}`);
  return await decodeFolder(found, { ...options, cache: decodeCacheFolder() });
}

/** How a folder of images was understood, one sentence per line; empty for a prepared dataset. */
export interface Described extends Pick<Dataset, 'name' | 'labels' | 'sha256'> {
  readonly notes: readonly string[];
}

/** Returns a dataset's name, labels and checksum without loading its images. @param signal ends the reading with its reason. */
export async function describeDataset(folder: string, signal?: AbortSignal): Promise<Described> {
  const found = await findDataset(folder);
  const isPrepared = 'files' in found;
  const sha256 = isPrepared ? manifestSha256(found) : await hashFolder(found, signal);
  return { name: found.name, labels: [...found.labels], sha256, notes: isPrepared ? [] : found.notes };
}

async function findDataset(folder: string): Promise<Manifest | FolderListing> {
  try {
    return await readManifest(folder);
  } catch (error) {
    const listing = error instanceof DatasetMissingError ? await listFolder(folder) : undefined;
    if (listing === undefined) throw error;
    return listing;
  }
}

async function loadPrepared(folder: string, manifest: Manifest): Promise<Dataset> {
  await verifyFiles(folder, manifest);
  const train = await loadSplit(folder, manifest, 'train');
  const test = await loadSplit(folder, manifest, 'test');
  const { name, labels, counts } = manifest;
  const validation =
    counts.validation === undefined ? {} : { validation: await loadSplit(folder, manifest, 'validation') };
  return { name, labels, train, test, ...validation, sha256: manifestSha256(manifest) };
}

async function loadSplit(
  folder: string,
  manifest: Manifest,
  split: keyof Manifest['counts'],
): Promise<Split> {
  const suffix = split === 'validation' ? 'val' : split;
  const [imagesFile, labelsFile] = [`x_${suffix}.npy`, `y_${suffix}.npy`] as const;
  const images = await loadUint8(folder, imagesFile, 4);
  const labels = await loadUint8(folder, labelsFile, 1);
  const [count = 0, height = 0, width = 0, channels = 0] = images.shape;
  const damaged = (file: string, problem: string) =>
    new DatasetDamagedError(`${path.join(folder, file)}: ${problem}; ${remedy(folder, true)}`);
  const expected = manifest.counts[split];
  if (count !== expected) throw damaged(imagesFile, `expected ${expected} images, got ${count}`);
  if (labels.data.length !== count)
    throw damaged(labelsFile, `expected ${count} labels, got ${labels.data.length}`);
  const outside = labels.data.findIndex((label) => label >= manifest.labels.length);
  if (outside !== -1)
    throw damaged(
      labelsFile,
      `label ${outside}: expected 0…${manifest.labels.length - 1}, got ${labels.data[outside]}`,
    );
  return { images: images.data, labels: labels.data, count, height, width, channels };
}

async function loadUint8(
  folder: string,
  name: ArrayFile,
  rank: number,
): Promise<NpyArray & { dtype: 'uint8' }> {
  const file = path.join(folder, name);
  const array = await readNpy(file);
  if (array.dtype !== 'uint8' || array.shape.length !== rank)
    throw new DatasetDamagedError(
      `${file}: expected uint8 with ${rank} dimensions, got ${array.dtype} with shape (${array.shape})`,
    );
  return array;
}
