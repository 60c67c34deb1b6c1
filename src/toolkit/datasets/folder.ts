// A folder of images → the category and the split of each file. It reads names only.
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { createRandom } from '../random.js';
import { FolderError } from './errors.js';

export interface ImageFile {
  /** Path below the root, with forward slashes. */
  readonly path: string;
  /** Index into the labels. */
  readonly label: number;
}

export interface FolderListing {
  readonly root: string;
  /** Name of the root folder. */
  readonly name: string;
  /** Names of the categories' folders, in JavaScript's order of strings. */
  readonly labels: readonly string[];
  readonly train: readonly ImageFile[];
  readonly test: readonly ImageFile[];
  readonly validation?: readonly ImageFile[];
}

/** The part of each category's images that is held back to test on, if the folder has no test split. */
const testFraction = 0.2;
/** Seed of that choice. It does not depend on the recipe, so every run and every evaluation holds back the same images. */
const testSeed = 1;
const maxLabels = 256;

const splitFolders = ['train', 'val', 'test'] as const;

/**
 * Lists `<root>/{train,val,test}/<category>/<image>`, where val and test are optional, or `<root>/<category>/<image>`. Ignores
 * names with a leading dot and files outside of a category.
 * @returns undefined if the root does not exist or has no folders.
 * @throws FolderError naming the folder or file that does not fit these layouts.
 */
export async function listFolder(root: string): Promise<FolderListing | undefined> {
  const folders = await foldersIn(root).catch((): string[] => []);
  if (folders.length === 0) return undefined;
  const known: readonly string[] = splitFolders;
  const isSplit = folders.some((folder) => known.includes(folder));
  const name = path.basename(path.resolve(root));
  if (!isSplit) {
    const labels = checkLabels(root, folders);
    return { root, name, labels, ...holdBack(root, labels, await listCategories(root, '', labels)) };
  }
  const stray = folders.find((folder) => !known.includes(folder));
  if (stray !== undefined || !folders.includes('train'))
    throw new FolderError(
      `${root}: expected the folders train, val and test, or one folder per category, got ${folders.join(', ')}`,
    );
  const labels = checkLabels(path.join(root, 'train'), await foldersIn(path.join(root, 'train')));
  const list = (split: string) => listCategories(root, split, labels);
  const train = await list('train');
  const tested = folders.includes('test')
    ? { train, test: await list('test') }
    : holdBack(root, labels, train);
  return { root, name, labels, ...tested, ...(folders.includes('val') && { validation: await list('val') }) };
}

function checkLabels(folder: string, labels: readonly string[]): readonly string[] {
  if (labels.length >= 2 && labels.length <= maxLabels) return labels;
  throw new FolderError(
    `${folder}: expected 2 to ${maxLabels} folders, one per category, got ${labels.length}`,
  );
}

async function listCategories(root: string, split: string, labels: readonly string[]): Promise<ImageFile[]> {
  const unknown = (await foldersIn(path.join(root, split))).find((folder) => !labels.includes(folder));
  if (unknown !== undefined)
    throw new FolderError(`${path.join(root, split, unknown)}: train has no category of this name`);
  const files: ImageFile[] = [];
  for (const [label, category] of labels.entries()) {
    const folder = path.posix.join(split, category);
    const entries = await visibleIn(path.join(root, folder)).catch((): Dirent[] => []);
    for (const entry of entries) {
      const file = path.posix.join(folder, entry.name);
      if (await isFolder(path.join(root, folder), entry))
        throw new FolderError(
          `${path.join(root, file)}: is a folder; expected only images in the folder of a category`,
        );
      files.push({ path: file, label });
    }
  }
  if (files.length === 0) throw new FolderError(`${path.join(root, split)}: holds no images`);
  return files;
}

/** Holds back a part of each category: the images with the lowest random numbers, by seed and name. Added files change few of them. */
function holdBack(
  root: string,
  labels: readonly string[],
  files: readonly ImageFile[],
): Pick<FolderListing, 'train' | 'test'> {
  const held = new Set<ImageFile>();
  for (const [label, category] of labels.entries()) {
    const own = files.filter((file) => file.label === label);
    if (own.length < 2)
      throw new FolderError(
        `${root}: ${category}: expected at least 2 images, to train and to test on, got ${own.length}`,
      );
    const drawn = own.map((file) => ({ file, at: createRandom(testSeed, 'test split', file.path).next() }));
    const count = Math.min(own.length - 1, Math.max(1, Math.round(own.length * testFraction)));
    for (const { file } of drawn.sort((a, b) => a.at - b.at).slice(0, count)) held.add(file);
  }
  return { train: files.filter((file) => !held.has(file)), test: files.filter((file) => held.has(file)) };
}

async function foldersIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await visibleIn(folder)) if (await isFolder(folder, entry)) names.push(entry.name);
  return names;
}

async function visibleIn(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter(({ name }) => !name.startsWith('.'))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Follows links. */
async function isFolder(parent: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return (await stat(path.join(parent, entry.name)).catch(() => undefined))?.isDirectory() ?? false;
}
