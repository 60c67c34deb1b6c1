// A listed folder of images + the input contract → the dataset in memory, decoded by the code that serves.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import pMap from 'p-map';
import { channelCount } from '../../inference/image/channels.js';
import type { InputContract } from '../../inference/image/contract.js';
import { decodeImage } from '../../inference/image/decode.js';
import { labelProblem } from '../labels.js';
import type { BadImage, Dataset, Split } from './dataset.js';
import { type DecodeCache, openDecodeCache } from './decode-cache.js';
import { BadImagesError, FolderError } from './errors.js';
import type { FolderListing, ImageFile } from './folder.js';

export interface DecodeOptions {
  readonly input: InputContract;
  /** Skip files that are not images instead of throwing. The dataset lists them. */
  readonly skipBad?: boolean | undefined;
  readonly onProgress?: ((files: number, of: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Folder of the cache of decoded pixels; undefined for no cache. */
  readonly cache?: string | undefined;
}

const limits = { maxPixels: 100_000_000 };
const maxBytes = 2 ** 32;
const filesAtATime = 4;
const filesNamed = 20;
/** Stands for the SHA-256 of a file that cannot be read. */
const unreadableDigest = 'unreadable';

/**
 * Decodes all images of a folder.
 * @throws BadImagesError naming the first 20 files that are not images, unless `skipBad`.
 * @throws FolderError if the pixels would take more than 4 GiB, or there are no images left to train or test on.
 * @throws the signal's reason.
 */
export async function decodeFolder(listing: FolderListing, options: DecodeOptions): Promise<Dataset> {
  const { root, name, labels } = listing;
  checkMemory(listing, options.input);
  const bad: BadImage[] = [];
  const digests = new Map<string, string>();
  const total = listing.train.length + listing.test.length + (listing.validation?.length ?? 0);
  const decode = (files: readonly ImageFile[]) =>
    decodeSplit(root, files, options, (file, digest, reason) => {
      digests.set(file, digest);
      if (reason !== undefined) bad.push({ file: path.join(root, file), reason });
      options.onProgress?.(digests.size, total);
    });
  const train = await decode(listing.train);
  const validation = listing.validation && (await decode(listing.validation));
  const test = await decode(listing.test);
  bad.sort((a, b) => (a.file < b.file ? -1 : 1));
  if (bad.length > 0 && !options.skipBad) throw new BadImagesError(describeBad(root, bad));
  checkSplit(listing, 'train', train);
  checkSplit(listing, 'test', test);
  return {
    name,
    labels: [...labels],
    train,
    test,
    ...(validation && { validation }),
    sha256: folderSha256(listing, digests),
    ...(bad.length > 0 && { skipped: bad }),
  };
}

/** Returns the dataset's checksum without decoding: SHA-256 over split, path and SHA-256 of each file. */
export async function hashFolder(listing: FolderListing, signal?: AbortSignal): Promise<string> {
  const files = [...listing.train, ...(listing.validation ?? []), ...listing.test];
  const digests = await pMap(
    files,
    async (file) => {
      const bytes = await readFile(path.join(listing.root, file.path)).catch(() => undefined);
      return [file.path, bytes === undefined ? unreadableDigest : sha256Hex(bytes)] as const;
    },
    { concurrency: filesAtATime, signal },
  );
  return folderSha256(listing, new Map(digests));
}

function folderSha256(listing: FolderListing, digests: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256');
  for (const split of ['train', 'validation', 'test'] as const)
    for (const file of listing[split] ?? [])
      hash.update(`${digests.get(file.path)}  ${split}/${file.path.normalize('NFC')}\n`);
  return hash.digest('hex');
}

type OnFile = (file: string, digest: string, reason: string | undefined) => void;

/** Decodes files in parallel, each into its place. Removes the gaps of bad files at the end. */
async function decodeSplit(
  root: string,
  files: readonly ImageFile[],
  { input, signal, cache: cacheFolder }: DecodeOptions,
  onFile: OnFile,
): Promise<Split> {
  const { width, height } = input;
  const channels = channelCount(input);
  const length = width * height * channels;
  const images = new Uint8Array(files.length * length);
  const cache = cacheFolder === undefined ? undefined : await openDecodeCache(cacheFolder, input);
  const good = await pMap(
    files,
    async (file, i) => {
      const bytes = await readFile(path.join(root, file.path)).catch((error: Error) =>
        unreadable(file, error),
      );
      const digest = bytes instanceof Error ? unreadableDigest : sha256Hex(bytes);
      const pixels = bytes instanceof Error ? bytes : await decodeOnce(bytes, digest, input, cache);
      onFile(file.path, digest, pixels instanceof Error ? pixels.message : undefined);
      if (pixels instanceof Error) return false;
      images.set(pixels, i * length);
      return true;
    },
    { concurrency: filesAtATime, signal },
  );
  const kept = [...files.keys()].filter((i) => good[i]);
  for (const [to, from] of kept.entries())
    if (to !== from) images.copyWithin(to * length, from * length, (from + 1) * length);
  const labels = Uint8Array.from(kept, (i) => files[i]?.label ?? 0);
  return {
    images: images.subarray(0, kept.length * length),
    labels,
    count: kept.length,
    height,
    width,
    channels,
  };
}

/** Node replaces the bytes of a name that is not UTF-8, and then cannot find the file. */
function unreadable(file: ImageFile, error: Error): Error {
  const problem = labelProblem(path.posix.basename(file.path));
  return problem === undefined ? error : new FolderError(`its name ${problem}`, { cause: error });
}

async function decodeOnce(
  bytes: Uint8Array,
  sha256: string,
  input: InputContract,
  cache: DecodeCache | undefined,
): Promise<Uint8Array | Error> {
  const known = await cache?.read(sha256);
  if (known) return known;
  try {
    const { data } = await decodeImage(bytes, input, limits);
    await cache?.write(sha256, data);
    return data;
  } catch (error) {
    return error as Error;
  }
}

function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function checkMemory({ root, train, validation = [], test }: FolderListing, input: InputContract): void {
  const count = train.length + validation.length + test.length;
  const bytes = count * input.width * input.height * channelCount(input);
  if (bytes > maxBytes)
    throw new FolderError(
      `${root}: ${count} images of ${input.width}x${input.height} take ${(bytes / 2 ** 30).toFixed(1)} GiB of memory; ` +
        'at most 4 GiB are allowed',
    );
}

function checkSplit({ root, labels }: FolderListing, name: 'train' | 'test', split: Split): void {
  const missing = name === 'train' ? labels.find((_, label) => !split.labels.includes(label)) : undefined;
  if (split.count > 0 && missing === undefined) return;
  throw new FolderError(`${root}: has no image of ${missing ?? 'any category'} to ${name} on`);
}

function describeBad(root: string, bad: readonly BadImage[]): string {
  const lines = bad.slice(0, filesNamed).map(({ file, reason }) => `\n  ${file}: ${reason}`);
  const more = bad.length > filesNamed ? `\n  and ${bad.length - filesNamed} more` : '';
  const files = bad.length === 1 ? '1 file is not an image' : `${bad.length} files are not images`;
  return `${root}: ${files} (--skip-bad skips them):${lines.join('')}${more}`;
}
