// A folder → whether its folders are splits or categories, by one rule.
import path from 'node:path';
import { FolderError } from './errors.js';
import { Leftovers } from './leftovers.js';
import { readFolder } from './read-folder.js';
import { type SplitName, splitOf } from './split-names.js';

/** The folders of the splits, or of the categories. */
export type Layout =
  | { readonly kind: 'splits'; readonly folders: Readonly<Partial<Record<SplitName, string>>> }
  | { readonly kind: 'categories'; readonly folders: readonly string[] };

/**
 * Folders are splits if all of them have names of splits, one of them is train, and train holds folders. Otherwise they are
 * categories: `bus`, `car` and `train` are three.
 * @throws FolderError if the folders could be either.
 */
export async function layoutOf(root: string, folders: readonly string[]): Promise<Layout> {
  const splits = folders.map((folder) => splitOf(folder));
  const train = folders[splits.indexOf('train')];
  const trainHolds = train === undefined ? [] : await categoriesIn(path.join(root, train));
  if (splits.every((split) => split === undefined)) return { kind: 'categories', folders };
  if (splits.every((split) => split !== undefined)) {
    if (train !== undefined && trainHolds.length > 0)
      return { kind: 'splits', folders: bySplit(root, folders) };
    throw new FolderError(
      `${root}: its folders are named like splits, so expected train/<category>/<image>; got ${folders.join(', ')}` +
        `${train === undefined ? ' without train' : `, where ${train} holds no folders`}`,
    );
  }
  if (trainHolds.length === 0) return { kind: 'categories', folders };
  throw new FolderError(
    `${root}: expected the folders train, val and test, or one folder per category, got ${folders.join(', ')}, ` +
      `where ${train} holds folders`,
  );
}

async function categoriesIn(folder: string): Promise<readonly string[]> {
  return (await readFolder(folder, new Leftovers())).folders;
}

function bySplit(root: string, folders: readonly string[]): Partial<Record<SplitName, string>> {
  const found: Partial<Record<SplitName, string>> = {};
  for (const folder of folders) {
    const split = splitOf(folder);
    if (split === undefined) continue;
    const other = found[split];
    if (other !== undefined)
      throw new FolderError(`${root}: ${other} and ${folder} are both the ${split} split; merge them`);
    found[split] = folder;
  }
  return found;
}
