// Published photos of cats and dogs → data/dogs-vs-cats/{train,val,test}/{cat,dog}, without files that cannot be decoded.
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import pMap from 'p-map';
import type { InputContract } from '../../inference/image/contract.js';
import { decodeImage } from '../../inference/image/decode.js';
import { isImageName } from '../../inference/image/kinds.js';
import { exists } from '../files.js';
import { createRandom } from '../random.js';
import { unpackArchive } from './archive.js';
import { type Labelled, labelOf, type SplitName, splits } from './dogs-vs-cats-names.js';
import { FolderError } from './errors.js';
import { isLeftoverPath } from './leftovers.js';

export interface DogsVsCatsOptions {
  /** A folder, a .zip, a .tar or a .tar.gz. */
  readonly from: string;
  readonly into: string;
  /** Seed of the split, if the files have none of their own (default: 1). */
  readonly seed?: number;
  /** Replace the folder if it exists. */
  readonly force?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (images: number, of: number) => void;
}

export interface DogsVsCats {
  readonly folder: string;
  readonly counts: Readonly<Record<SplitName, Readonly<Record<'cat' | 'dog', number>>>>;
  /** Files that are not images, and the reason. */
  readonly dropped: readonly { readonly file: string; readonly reason: string }[];
  /** Image files whose paths name neither cat nor dog. */
  readonly unknown: readonly string[];
  /** Whether the files had a split of their own, which was kept. */
  readonly keptSplit: boolean;
}

const fractions = { val: 0.1, test: 0.2 };
const filesAtATime = 4;
/** Small, so that the decoder shrinks a JPEG while it reads it. It still reads every byte. */
const trial: InputContract = {
  width: 64,
  height: 64,
  channels: 'rgb',
  fit: 'cover',
  kernel: 'linear',
  scale: 1,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};

/**
 * Prepares the folder whole or not at all: it makes a temporary folder beside `into` and renames it at the end.
 * @throws FolderError if `into` exists and `force` is not set, or if no path names a cat or a dog.
 */
export async function prepareDogsVsCats(options: DogsVsCatsOptions): Promise<DogsVsCats> {
  const folder = path.resolve(options.into);
  if (!options.force && (await exists(folder)))
    throw new FolderError(`${options.into}: already exists; --force replaces it`);
  await mkdir(path.dirname(folder), { recursive: true });
  const staging = await mkdtemp(path.join(path.dirname(folder), '.dogs-vs-cats-'));
  try {
    const root = await sourceFolder(options.from, path.join(staging, 'archive'));
    const files = (await readdir(root, { recursive: true })).filter(isPhoto).sort();
    const labelled = files.flatMap((file) => labelOf(file) ?? []);
    const known = new Set(labelled.map(({ file }) => file));
    const { placed, keptSplit } = placeFiles(labelled, options);
    const made = path.join(staging, 'made');
    const dropped = await copyDecodable(root, made, placed, options);
    const unknown = files.filter((file) => !known.has(file));
    const counts = countFiles(placed, new Set(dropped.map(({ file }) => file)), options.from);
    const about = { source: path.basename(options.from), seed: options.seed ?? 1, keptSplit, counts };
    await writeFile(
      path.join(made, 'about.json'),
      `${JSON.stringify({ ...about, dropped, unknown }, null, 2)}\n`,
    );
    if (options.force) await rm(folder, { recursive: true, force: true });
    await rename(made, folder);
    return { folder, counts, dropped, unknown, keptSplit };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function sourceFolder(from: string, scratch: string): Promise<string> {
  const found = await stat(from).catch((cause: Error) => {
    throw new FolderError(`${from}: cannot be read: ${cause.message}`, { cause });
  });
  if (found.isDirectory()) return from;
  await unpackArchive(from, scratch, isImageName);
  return scratch;
}

function isPhoto(file: string): boolean {
  return isImageName(file) && !isLeftoverPath(file);
}

interface Placed extends Labelled {
  readonly split: SplitName;
  /** Path below the dataset's folder. */
  readonly to: string;
}

/** Keeps the files' own split if it has images to train and to test on. Otherwise splits each group, by seed and name. */
function placeFiles(
  labelled: readonly Labelled[],
  { from, seed = 1 }: DogsVsCatsOptions,
): { placed: Placed[]; keptSplit: boolean } {
  if (labelled.length === 0)
    throw new FolderError(
      `${from}: no path names a cat or a dog: expected breeds as in Oxford-IIIT Pet (Abyssinian_1.jpg, beagle_1.jpg), ` +
        'folders Cat and Dog as in PetImages, or cat.1.jpg and dog.1.jpg',
    );
  const keptSplit = ['train', 'test'].every((name) => labelled.some(({ split }) => split === name));
  const chosen = keptSplit ? labelled : drawSplits(labelled, seed);
  const taken = new Set<string>();
  const placed = chosen.flatMap((image) => {
    const { split, category, file } = image;
    if (split === undefined) return [];
    const name = path.basename(file);
    const plain = path.join(split, category, name);
    const to = taken.has(plain) ? path.join(split, category, file.replaceAll(path.sep, '-')) : plain;
    taken.add(to);
    return [{ ...image, split, to }];
  });
  return { placed, keptSplit };
}

function drawSplits(labelled: readonly Labelled[], seed: number): Labelled[] {
  const groups = new Map<string, Labelled[]>();
  for (const image of labelled) groups.set(image.group, [...(groups.get(image.group) ?? []), image]);
  return [...groups.values()].flatMap((images) => {
    const drawn = images.map((image) => ({
      image,
      at: createRandom(seed, 'dogs-vs-cats', path.basename(image.file)).next(),
    }));
    const test = Math.round(images.length * fractions.test);
    const val = Math.round(images.length * fractions.val);
    return drawn
      .sort((a, b) => a.at - b.at)
      .map(
        ({ image }, i) =>
          ({ ...image, split: i < test ? 'test' : i < test + val ? 'val' : 'train' }) as const,
      );
  });
}

async function copyDecodable(
  root: string,
  made: string,
  placed: readonly Placed[],
  { signal, onProgress }: DogsVsCatsOptions,
): Promise<{ file: string; reason: string }[]> {
  for (const split of splits)
    for (const category of ['cat', 'dog']) await mkdir(path.join(made, split, category), { recursive: true });
  let done = 0;
  const reasons = await pMap(
    placed,
    async ({ file, to }) => {
      signal?.throwIfAborted();
      const bytes = await readFile(path.join(root, file));
      const reason = await decodeImage(bytes, trial, { maxPixels: 100_000_000 }).then(
        () => undefined,
        (error: Error) => error.message,
      );
      if (reason === undefined) await copyFile(path.join(root, file), path.join(made, to));
      onProgress?.(++done, placed.length);
      return reason === undefined ? [] : [{ file, reason }];
    },
    { concurrency: filesAtATime },
  );
  return reasons.flat();
}

function countFiles(
  placed: readonly Placed[],
  dropped: ReadonlySet<string>,
  from: string,
): DogsVsCats['counts'] {
  const count = (split: SplitName, category: 'cat' | 'dog') =>
    placed.filter((image) => image.split === split && image.category === category && !dropped.has(image.file))
      .length;
  const of = (split: SplitName) => ({ cat: count(split, 'cat'), dog: count(split, 'dog') });
  const counts = { train: of('train'), val: of('val'), test: of('test') };
  for (const split of ['train', 'test'] as const)
    for (const category of ['cat', 'dog'] as const)
      if (counts[split][category] === 0)
        throw new FolderError(`${from}: has no ${category} to ${split} on among ${placed.length} images`);
  return counts;
}
