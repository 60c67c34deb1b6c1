// A folder of images by category → a prepared dataset, decoded once with the input contract of its training.
import path from 'node:path';
import type { InputContract } from '../../inference/image/contract.js';
import type { BadImage } from './dataset.js';
import { decodeFolder } from './decode-folder.js';
import { FolderError } from './errors.js';
import { listFolder } from './folder.js';
import { type Prepared, type WriteOptions, writeDataset } from './prepare.js';

export interface ImageFolderOptions extends WriteOptions {
  /** A folder with the layout that folder.ts describes. */
  readonly from: string;
  readonly input: InputContract;
  /** Skip files that are not images. */
  readonly skipBad?: boolean | undefined;
}

/** The dataset, the files that were skipped, if any, and how the folder was understood. */
export type PreparedFolder = Prepared & {
  readonly skipped?: readonly BadImage[] | undefined;
  readonly notes: readonly string[];
};

const reports = 20;

/**
 * Prepares a dataset, whole or not at all. Replaces a dataset in `into`.
 * @throws FolderError if `from` holds no categories, or is the same folder as `into`.
 * @throws BadImagesError naming the files that are not images, unless `skipBad`.
 */
export async function prepareImageFolder(options: ImageFolderOptions): Promise<PreparedFolder> {
  const { from, input, skipBad, signal } = options;
  const listing = await listFolder(from);
  if (!listing) throw new FolderError(`${from}: expected folders of images, one per category, found none`);
  if (path.resolve(from) === path.resolve(options.into))
    throw new FolderError(`${from}: holds the images; choose another folder for the dataset with --into`);
  const files = listing.train.length + listing.test.length + (listing.validation?.length ?? 0);
  const every = Math.ceil(files / reports);
  let skipped: readonly BadImage[] | undefined;
  const about = {
    name: datasetName(from),
    labels: [...listing.labels],
    licence: 'that of the images',
    source: { folder: path.resolve(from), verified: false },
  };
  const prepared = await writeDataset(about, options, {
    steps: Math.ceil(files / every),
    hasValidation: listing.validation !== undefined,
    async obtain(_scratch, onStep) {
      const dataset = await decodeFolder(listing, {
        input,
        skipBad,
        signal,
        onProgress(done) {
          if (done % every === 0 || done === files) onStep(`decode images, ${done} of ${files}`);
        },
      });
      skipped = dataset.skipped;
      return dataset;
    },
  });
  return { ...prepared, skipped, notes: listing.notes };
}

/** Returns a folder's name in lower-case letters, digits and dashes, as names of datasets are. */
export function datasetName(folder: string): string {
  const words = path
    .basename(path.resolve(folder))
    .toLowerCase()
    .match(/[a-z0-9]+/g);
  return words?.join('-') ?? 'images';
}
