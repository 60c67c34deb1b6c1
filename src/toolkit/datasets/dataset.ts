// Types of a dataset in memory: images and labels, as every stage takes them.

export interface Split {
  /** [count, height, width, channels], flat, pixels 0…255. */
  images: Uint8Array;
  /** [count], indices into the dataset's labels. */
  labels: Uint8Array;
  count: number;
  height: number;
  width: number;
  channels: number;
}

export interface Dataset {
  name: string;
  labels: string[];
  train: Split;
  test: Split;
  /** Images to validate on, if the dataset has its own. Otherwise training holds back a part of `train`. */
  validation?: Split;
  /** SHA-256 over the checksums of all its files. */
  sha256: string;
  /** Files of a folder that are not images and were skipped. */
  skipped?: readonly BadImage[];
}

/** A file that is not an image, and the reason. */
export interface BadImage {
  readonly file: string;
  readonly reason: string;
}

/** Returns the split with its pixels in memory that threads can share. Copies them unless they are there already. */
export function sharePixels(split: Split): Split {
  if (split.images.buffer instanceof SharedArrayBuffer) return split;
  const images = new Uint8Array(new SharedArrayBuffer(split.images.length));
  images.set(split.images);
  return { ...split, images };
}
