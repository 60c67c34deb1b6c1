// A dataset small enough to train on in a test: 8x8 images, one of three rows of which is bright.

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  type Architecture,
  conv,
  dense,
  flatten,
  maxPool,
  relu,
} from '../../src/toolkit/architectures/layers.js';
import type { Split } from '../../src/toolkit/datasets/dataset.js';
import { arrayFiles, fileSha256, manifestFile } from '../../src/toolkit/datasets/manifest.js';
import { writeNpy } from '../../src/toolkit/datasets/npy.js';
import type { Recipe } from '../../src/toolkit/training/recipe/recipe.js';
import { mulberry32 } from './seeded-values.js';

export interface TinyDataset {
  readonly count?: number;
  readonly side?: number;
  readonly labels?: readonly string[];
  /** The most that is added to a pixel. */
  readonly noise?: number;
}

export function tinySplit(count: number, seed: number, side = 8, labels = 3, noise = 90): Split {
  const random = mulberry32(seed);
  const images = new Uint8Array(count * side * side);
  const answers = Uint8Array.from({ length: count }, () => Math.floor(random() * labels));
  for (let i = 0; i < images.length; i++) {
    const row = Math.floor(i / side) % side;
    const bright = row === 1 + 2 * (answers[Math.floor(i / (side * side))] ?? 0);
    images[i] = (bright ? 160 : 0) + Math.floor(random() * noise);
  }
  return { images, labels: answers, count, height: side, width: side, channels: 1 };
}

/** Writes what `quati dataset prepare` would have made, and returns the folder. */
export async function writeTinyDataset(
  folder: string,
  { count = 50, side = 8, labels = ['top', 'middle', 'bottom'], noise = 90 }: TinyDataset = {},
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const splits = {
    train: tinySplit(count, 1, side, labels.length, noise),
    test: tinySplit(10, 2, side, labels.length, noise),
  };
  const files: Record<string, string> = {};
  for (const name of arrayFiles) {
    const split = name.endsWith('_train.npy') ? splits.train : splits.test;
    const images = name.startsWith('x_');
    const shape = images ? [split.count, side, side, 1] : [split.count];
    const file = path.join(folder, name);
    await writeNpy(file, { dtype: 'uint8', shape, data: images ? split.images : split.labels });
    files[name] = await fileSha256(file);
  }
  const manifest = {
    name: 'tiny',
    labels,
    counts: { train: count, test: 10 },
    source: { package: 'none', version: '0.0.0', integrity: 'none' },
    files,
    licence: 'none',
  };
  await writeFile(path.join(folder, manifestFile), JSON.stringify(manifest));
  return folder;
}

export const tinyArchitecture: Architecture = {
  name: 'tiny',
  input: { channels: 1, height: 8, width: 8 },
  layers: [conv(4), relu, maxPool(), flatten, dense(3)],
};

/** 45 of 50 images to train on: five batches of eight and one of five. */
export const tinyRecipe: Recipe = {
  name: 'tiny',
  title: 'Bright rows',
  dataset: 'tiny',
  architecture: tinyArchitecture,
  input: {
    width: 8,
    height: 8,
    channels: 'gray',
    fit: 'contain',
    kernel: 'linear',
    scale: 1 / 255,
    mean: [0],
    std: [1],
  },
  optimiser: { kind: 'adam' },
  learningRate: 0.01,
  schedule: { kind: 'constant' },
  batchSize: 8,
  epochs: 2,
  validationSplit: 0.1,
  seed: 1,
};
