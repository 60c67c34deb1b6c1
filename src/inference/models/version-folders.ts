// models/ → the folder of each version of each model, and a stamp that changes with its content.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CardError, isExhausted } from '../errors.js';
import { findSingleModel, isVersion } from './single-model.js';

export interface VersionFolder {
  /** `<name>/<version>`. */
  key: string;
  name: string;
  version: number;
  folder: string;
  /** Changes when the folder, its golden/, or a file in either is replaced or written. */
  fingerprint: string;
  /** The reason why the folder cannot be listed, for example missing permission or a loop of links. */
  problem?: string;
}

/**
 * Lists the folders by name and version. Skips folders with names that no model or version can have, such as lost+found of a
 * volume. Follows links to folders. A folder that does not exist holds no models. A problem of one version does not affect the others.
 * @param models the folder with <name>/<version>/, or the folder of one model or one version.
 * @throws CardError when that folder itself cannot be read; any error when the process can open no more files.
 */
export async function listVersionFolders(models: string): Promise<VersionFolder[]> {
  const single = await findSingleModel(models);
  const places = single
    ? single.versions.map((place) => ({ name: single.name, ...place }))
    : await versionsByName(models);
  return await Promise.all(places.map(toVersionFolder));
}

/**
 * Returns a message for each folder whose name is a number but no version: 0, 007, or more than JavaScript holds exactly.
 * What cannot be read has none.
 */
export async function listPassedOver(models: string): Promise<string[]> {
  const unlessUnreadable = (folder: string) => subfolders(folder).catch((): Subfolder[] => []);
  const entries = await unlessUnreadable(models);
  const names = entries.map(({ name }) => name).filter(isModelName);
  const folders = [models, ...names.map((name) => join(models, name))];
  const found = await Promise.all(
    folders.map(async (folder) =>
      (await unlessUnreadable(folder))
        .filter(({ name }) => isNoVersion(name))
        .map(({ name }) => join(folder, name)),
    ),
  );
  return found
    .flat()
    .map(
      (folder) =>
        `${folder}: passed over: a version is an integer from 1 to ${Number.MAX_SAFE_INTEGER}, without leading zeros`,
    );
}

function isNoVersion(folder: string): boolean {
  return /^\d+$/.test(folder) && !isVersion(folder);
}

interface Place extends Pick<VersionFolder, 'name' | 'version' | 'folder' | 'problem'> {}

async function toVersionFolder({ name, version, folder, problem }: Place): Promise<VersionFolder> {
  const place = { key: `${name}/${version}`, name, version, folder };
  if (problem !== undefined) return { ...place, fingerprint: problem, problem };
  try {
    return { ...place, fingerprint: await fingerprint(folder) };
  } catch (error) {
    if (isExhausted(error)) throw error;
    const found = `${folder}: cannot be read: ${(error as Error).message}`;
    return { ...place, fingerprint: found, problem: found };
  }
}

async function versionsByName(models: string): Promise<Place[]> {
  let entries: Subfolder[];
  try {
    entries = await subfolders(models);
  } catch (cause) {
    const message = `${models}: the models folder cannot be read: ${(cause as Error).message}`;
    throw new CardError(message, { cause });
  }
  const listed = await Promise.all(
    entries.filter(({ name }) => isModelName(name)).map((entry) => versionsOf(models, entry)),
  );
  return listed.flat();
}

/** Lists the versions of a model. If that fails, returns one entry with the problem. */
async function versionsOf(models: string, { name, problem }: Subfolder): Promise<Place[]> {
  const folder = join(models, name);
  try {
    if (problem !== undefined) return [{ name, version: 1, folder, problem }];
    return (await subfolders(folder))
      .filter((entry) => isVersion(entry.name))
      .map((entry) => ({ version: Number(entry.name), problem: entry.problem }))
      .sort((a, b) => a.version - b.version)
      .map(({ version, problem }) => ({
        name,
        version,
        folder: join(folder, String(version)),
        ...(problem !== undefined && { problem }),
      }));
  } catch (error) {
    if (isExhausted(error)) throw error;
    return [{ name, version: 1, folder, problem: `${folder}: cannot be read: ${(error as Error).message}` }];
  }
}

/** Joins size and times of each file. Leaves out inodes, because those of some network and desktop volumes change without a reason. */
async function fingerprint(folder: string): Promise<string> {
  const files = await Promise.all(['.', 'golden'].map((place) => list(join(folder, place))));
  const marks = await Promise.all(files.flat().sort().map(mark));
  return marks.join('\n');
}

async function list(folder: string): Promise<string[]> {
  return (await unlessGone(readdir(folder), [], ['ENOENT', 'ENOTDIR'])).map((name) => join(folder, name));
}

async function mark(file: string): Promise<string> {
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => error.code);
  return typeof found === 'object'
    ? `${file} ${found.size} ${found.mtimeMs} ${found.ctimeMs}`
    : `${file} ${found}`;
}

function isModelName(folder: string): boolean {
  return /^[a-z0-9][a-z0-9-]*$/.test(folder);
}

interface Subfolder {
  name: string;
  /** The reason why the target of a link cannot be read. */
  problem?: string;
}

async function subfolders(folder: string): Promise<Subfolder[]> {
  const entries = await unlessGone(readdir(folder, { withFileTypes: true }), []);
  const found = await Promise.all(
    entries.map(async (entry): Promise<Subfolder[]> => {
      if (entry.isDirectory()) return [{ name: entry.name }];
      return entry.isSymbolicLink() ? await followLink(folder, entry.name) : [];
    }),
  );
  return found.flat().sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A broken link, or a link to something that is not a folder, is not a folder. */
async function followLink(folder: string, name: string): Promise<Subfolder[]> {
  const file = join(folder, name);
  try {
    return (await stat(file)).isDirectory() ? [{ name }] : [];
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? [] : [{ name, problem: `${file}: cannot be read: ${message}` }];
  }
}

/** Other errors, such as a volume that does not respond, do not mean that the folder is absent. */
async function unlessGone<T>(looked: Promise<T>, instead: T, codes = ['ENOENT']): Promise<T> {
  try {
    return await looked;
  } catch (error) {
    if (codes.includes((error as NodeJS.ErrnoException).code ?? '')) return instead;
    throw error;
  }
}
