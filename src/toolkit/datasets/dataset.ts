// A prepared dataset's folder → images and labels in memory, checked against dataset.json.
import path from 'node:path';
import { DatasetDamagedError } from './errors.js';
import {
  type ArrayFile,
  type Manifest,
  manifestSha256,
  readManifest,
  remedy,
  verifyFiles,
} from './manifest.js';
import { type NpyArray, readNpy } from './npy.js';

export interface Split {
  /** count x height x width x channels, pixels 0…255. */
  images: Uint8Array;
  /** count indices into the dataset's labels. */
  labels: Uint8Array;
  count: number;
  height: number;
  width: number;
  channels: number;
}

export interface Dataset {
  name: string;
  labels: string[];
  train: Split;
  test: Split;
  /** Where the dataset has its own; else a part of `train` is held back. */
  validation?: Split;
  /** One checksum over the checksums of all array files. */
  sha256: string;
}

/**
 * Reads a folder that `quati dataset prepare` made, after checking that its files are undamaged.
 * @throws DatasetMissingError when there is none, naming the command that makes it.
 * @throws DatasetDamagedError or NpyError naming the file and what is wrong.
 */
export async function loadDataset(folder: string): Promise<Dataset> {
  const manifest = await readManifest(folder);
  await verifyFiles(folder, manifest);
  const train = await loadSplit(folder, manifest, 'train');
  const test = await loadSplit(folder, manifest, 'test');
  return { name: manifest.name, labels: manifest.labels, train, test, sha256: manifestSha256(manifest) };
}

/** The same split, its pixels in memory that threads share; as it is where they are already. */
export function sharePixels(split: Split): Split {
  if (split.images.buffer instanceof SharedArrayBuffer) return split;
  const images = new Uint8Array(new SharedArrayBuffer(split.images.length));
  images.set(split.images);
  return { ...split, images };
}

async function loadSplit(folder: string, manifest: Manifest, split: 'train' | 'test'): Promise<Split> {
  const images = await loadUint8(folder, `x_${split}.npy`, 4);
  const labels = await loadUint8(folder, `y_${split}.npy`, 1);
  const [count = 0, height = 0, width = 0, channels = 0] = images.shape;
  const damaged = (file: string, problem: string) =>
    new DatasetDamagedError(`${path.join(folder, file)}: ${problem}; ${remedy(folder, true)}`);
  const expected = manifest.counts[split];
  if (count !== expected) throw damaged(`x_${split}.npy`, `images expected ${expected}, got ${count}`);
  if (labels.data.length !== count)
    throw damaged(`y_${split}.npy`, `labels expected ${count}, got ${labels.data.length}`);
  const outside = labels.data.findIndex((label) => label >= manifest.labels.length);
  if (outside !== -1)
    throw damaged(
      `y_${split}.npy`,
      `label ${outside} expected 0…${manifest.labels.length - 1}, got ${labels.data[outside]}`,
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
