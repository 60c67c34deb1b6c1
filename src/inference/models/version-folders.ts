// models/ → the folder of each version of each model, and by what a change of it shows.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { findSingleModel } from './single-model.js';

export interface VersionFolder {
  /** `<name>/<version>`. */
  key: string;
  name: string;
  version: number;
  folder: string;
  /** Another one when the folder, its golden/, or a file in either was exchanged or written to. */
  fingerprint: string;
}

/**
 * By name and version. Folders whose names can't be a model's (lost+found of a volume) or a version's are passed over; links to
 * folders are followed; a folder that doesn't exist holds none.
 * @param models the folder that holds <name>/<version>/, or is one model's or one version's own.
 */
export async function listVersionFolders(models: string): Promise<VersionFolder[]> {
  const single = await findSingleModel(models);
  const places = single
    ? single.versions.map((place) => ({ name: single.name, ...place }))
    : await versionsByName(models);
  return await Promise.all(
    places.map(async ({ name, version, folder }) => {
      return { key: `${name}/${version}`, name, version, folder, fingerprint: await fingerprint(folder) };
    }),
  );
}

type Place = Pick<VersionFolder, 'name' | 'version' | 'folder'>;

async function versionsByName(models: string): Promise<Place[]> {
  const names = (await subfolders(models)).filter(isModelName);
  const listed = await Promise.all(names.map((name) => versionsOf(models, name)));
  return listed.flat();
}

async function versionsOf(models: string, name: string): Promise<Place[]> {
  const versions = (await subfolders(join(models, name))).filter(isVersion).map(Number);
  return versions
    .sort((a, b) => a - b)
    .map((version) => ({ name, version, folder: join(models, name, String(version)) }));
}

/** Size and times of each file, not its inode: those of some network and desktop volumes change without a reason. */
async function fingerprint(folder: string): Promise<string> {
  const files = await Promise.all(['.', 'golden'].map((place) => list(join(folder, place))));
  const marks = await Promise.all(files.flat().sort().map(mark));
  return marks.join('\n');
}

async function list(folder: string): Promise<string[]> {
  return (await unlessGone(readdir(folder), [])).map((name) => join(folder, name));
}

async function mark(file: string): Promise<string> {
  const found = await unlessGone(stat(file), undefined);
  return found ? `${file} ${found.size} ${found.mtimeMs} ${found.ctimeMs}` : file;
}

function isVersion(folder: string): boolean {
  return /^[1-9]\d*$/.test(folder);
}

function isModelName(folder: string): boolean {
  return /^[a-z0-9][a-z0-9-]*$/.test(folder);
}

async function subfolders(folder: string): Promise<string[]> {
  const entries = await unlessGone(readdir(folder, { withFileTypes: true }), []);
  const folders = await Promise.all(
    entries.map(
      async (entry) =>
        entry.isDirectory() || (entry.isSymbolicLink() && (await isFolder(join(folder, entry.name)))),
    ),
  );
  return entries.flatMap(({ name }, i) => (folders[i] ? [name] : [])).sort();
}

/** A link that leads nowhere is none. */
async function isFolder(file: string): Promise<boolean> {
  return await stat(file).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Anything else, such as a volume that doesn't answer, is no sign that there is nothing. */
async function unlessGone<T>(looked: Promise<T>, instead: T): Promise<T> {
  try {
    return await looked;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return instead;
    throw error;
  }
}
