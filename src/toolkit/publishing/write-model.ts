// A card, its variants and golden images → models/<name>/<version>/, whole or not at all.
import { copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Card } from '../../inference/models/card.js';
import { exists } from '../files.js';
import { PublishingError } from './errors.js';
import { replayVersion } from './replay.js';
import type { Sample } from './samples.js';

export interface VersionOptions {
  readonly name: string;
  /** Version to write (default: the highest one plus 1). */
  readonly version?: number;
  /** Replace the version if it exists. */
  readonly replace?: boolean;
  readonly modelsFolder?: string;
}

/** Returns the folder of the version to write. @throws PublishingError if it exists and `replace` is not set. */
export async function versionFolder({
  name,
  version,
  replace,
  modelsFolder = 'models',
}: VersionOptions): Promise<string> {
  const model = path.join(modelsFolder, name);
  const folder = path.join(model, String(version ?? (await nextVersion(model))));
  if (!replace && (await exists(folder)))
    throw new PublishingError(
      `${folder} already exists: --replace overwrites it, --model-version <n> chooses another version`,
    );
  return folder;
}

async function nextVersion(folder: string): Promise<number> {
  const entries = await readdir(folder).catch(() => []);
  const versions = entries.map(Number).filter((version) => Number.isInteger(version) && version > 0);
  return Math.max(0, ...versions) + 1;
}

/**
 * Writes a model to a temporary folder, checks it as the server does, and renames it. Moves an existing version aside first, and back if
 * the renaming fails.
 * @param files name in the model's folder → file to copy.
 * @throws PublishingError if the server would not serve it.
 */
export async function writeModel(
  folder: string,
  card: Card,
  files: ReadonlyMap<string, string>,
  golden: readonly Sample[],
): Promise<void> {
  const beside = `${folder}.${process.pid}.tmp`;
  await rm(beside, { recursive: true, force: true });
  await mkdir(beside, { recursive: true });
  try {
    await writeFile(path.join(beside, 'card.json'), `${JSON.stringify(card, null, 2)}\n`);
    for (const [name, file] of files) await copyFile(file, path.join(beside, name));
    await mkdir(path.join(beside, 'golden'));
    for (const { file, png } of golden) await writeFile(path.join(beside, 'golden', file), png);
    await replayVersion(beside, folder);
    await replaceFolder(beside, folder);
  } catch (cause) {
    await rm(beside, { recursive: true, force: true });
    throw cause;
  }
}

async function replaceFolder(beside: string, folder: string): Promise<void> {
  const previous = `${folder}.${process.pid}.old`;
  const replaced = await exists(folder);
  if (replaced) await rename(folder, previous);
  try {
    await rename(beside, folder);
  } catch (cause) {
    if (replaced) await rename(previous, folder);
    throw cause;
  }
  await rm(previous, { recursive: true, force: true });
}
