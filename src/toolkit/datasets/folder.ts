// A folder of images → the category and the split of each file. It reads names only.
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { labelProblem, toLabel } from '../labels.js';
import { createRandom } from '../random.js';
import { FolderError } from './errors.js';
import { type Layout, layoutOf } from './layout.js';
import { Leftovers } from './leftovers.js';
import { compareNames, readFolder } from './read-folder.js';

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
  /** How the folder was understood, and what was passed over: one sentence per line. */
  readonly notes: readonly string[];
}

/** The part of each category's images that is held back to test on, if the folder has no test split. */
const testFraction = 0.2;
/** Seed of that choice. It does not depend on the recipe, so every run and every evaluation holds back the same images. */
const testSeed = 1;
const maxLabels = 256;
const labelsShown = 12;
const longestShown = 40;

/**
 * Lists `<root>/{train,val,test}/<category>/<image>`, where val and test are optional, or `<root>/<category>/<image>`. Passes
 * over what systems leave behind, and files outside of a category.
 * @returns undefined if the root does not exist or has no folders.
 * @throws FolderError naming the folder or file that does not fit these layouts.
 */
export async function listFolder(root: string): Promise<FolderListing | undefined> {
  if (await isFile(root))
    throw new FolderError(`${root}: is a file; expected a folder of images (unpack an archive)`);
  const leftovers = new Leftovers();
  const top = await readFolder(root, leftovers).catch(() => ({ folders: [], files: [] }));
  if (top.folders.length === 0) return undefined;
  for (const file of top.files) leftovers.add('outside', file);
  const layout = await layoutOf(root, top.folders);
  const listed = await (layout.kind === 'splits'
    ? listSplits(root, layout.folders, leftovers)
    : listFlat(root, layout.folders, leftovers));
  const name = path.basename(path.resolve(root));
  const notes = [understood(name, layout, listed.labels), ...listed.notes];
  const passedOver = leftovers.describe();
  if (passedOver !== undefined) notes.push(`${name}: passed over ${passedOver}`);
  return { ...listed, root, name, notes };
}

type Listed = Omit<FolderListing, 'root' | 'name'>;

async function listFlat(root: string, folders: readonly string[], leftovers: Leftovers): Promise<Listed> {
  const categories = toCategories(root, folders);
  const labels = [...categories.keys()];
  const files = await listCategories(root, '', categories, labels, leftovers);
  return { labels, ...holdBack(root, labels, files), notes: mergers(categories) };
}

async function listSplits(
  root: string,
  splits: (Layout & { kind: 'splits' })['folders'],
  leftovers: Leftovers,
): Promise<Listed> {
  let labels: readonly string[] | undefined;
  const notes: string[] = [];
  const list = async (split: string) => {
    const parent = path.join(root, split);
    const { folders, files } = await readFolder(parent, leftovers);
    for (const file of files) leftovers.add('outside', file);
    const categories = toCategories(parent, folders, labels === undefined ? 2 : 0);
    labels ??= [...categories.keys()];
    notes.push(...mergers(categories));
    return await listCategories(root, split, categories, labels, leftovers);
  };
  const train = await list(splits.train ?? 'train');
  const test = splits.test === undefined ? undefined : await list(splits.test);
  const validation = splits.validation === undefined ? undefined : await list(splits.validation);
  const known = labels ?? [];
  const tested = test ? { train, test } : holdBack(root, known, train);
  return { labels: known, ...tested, ...(validation && { validation }), notes };
}

/** Label → its folders. Names that differ only in their form of Unicode or in spaces at their ends are one category. */
type Categories = ReadonlyMap<string, readonly string[]>;

function toCategories(parent: string, folders: readonly string[], least = 2): Categories {
  const categories = new Map<string, string[]>();
  for (const folder of folders) {
    const label = toLabel(folder);
    const problem = labelProblem(label);
    if (problem !== undefined)
      throw new FolderError(`${path.join(parent, JSON.stringify(folder))}: the name ${problem}; rename it`);
    categories.set(label, [...(categories.get(label) ?? []), folder]);
  }
  if (categories.size >= least && categories.size <= maxLabels)
    return new Map([...categories].sort(([a], [b]) => compareNames(a, b)));
  const hint =
    folders.length === 1
      ? `; if that one holds the categories, give ${path.join(parent, folders[0] ?? '')}`
      : '';
  throw new FolderError(
    `${parent}: expected 2 to ${maxLabels} folders, one per category, got ${categories.size}${hint}`,
  );
}

function mergers(categories: Categories): string[] {
  return [...categories].flatMap(([label, folders]) =>
    folders.length > 1 ? [`${label}: ${folders.length} folders with this name are one category`] : [],
  );
}

async function listCategories(
  root: string,
  split: string,
  categories: Categories,
  labels: readonly string[],
  leftovers: Leftovers,
): Promise<ImageFile[]> {
  const files: ImageFile[] = [];
  for (const [label, folders] of categories) {
    const index = labels.indexOf(label);
    for (const name of folders) {
      const folder = path.posix.join(split, name);
      if (index < 0) throw new FolderError(`${path.join(root, folder)}: train has no category of this name`);
      const content = await readFolder(path.join(root, folder), leftovers);
      if (content.folders[0] !== undefined)
        throw new FolderError(
          `${path.join(root, folder, content.folders[0])}: is a folder; expected only images in the folder of a category`,
        );
      files.push(...content.files.map((file) => ({ path: path.posix.join(folder, file), label: index })));
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
    const drawn = own.map((file) => ({
      file,
      at: createRandom(testSeed, 'test split', file.path.normalize('NFC')).next(),
    }));
    const count = Math.min(own.length - 1, Math.max(1, Math.round(own.length * testFraction)));
    for (const { file } of drawn.sort((a, b) => a.at - b.at).slice(0, count)) held.add(file);
  }
  return { train: files.filter((file) => !held.has(file)), test: files.filter((file) => held.has(file)) };
}

function understood(name: string, layout: Layout, labels: readonly string[]): string {
  const first = labels.slice(0, labelsShown).map((label) => cut(label));
  const shown = labels.length > labelsShown ? [...first, '…'] : first;
  const categories = `${labels.length} categories (${shown.join(', ')})`;
  const held = '; a fifth of each is reserved for the test split';
  if (layout.kind === 'categories') return `${name}: the folders are ${categories}${held}`;
  const { folders } = layout;
  const named = Object.values(folders).join(', ');
  return `${name}: the folders ${named} are splits with ${categories}${folders.test === undefined ? held : ''}`;
}

function cut(label: string): string {
  return label.length > longestShown ? `${label.slice(0, longestShown)}…` : label;
}

async function isFile(root: string): Promise<boolean> {
  return (await stat(root).catch(() => undefined))?.isFile() ?? false;
}
