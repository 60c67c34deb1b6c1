// Images and labels in memory, as every stage takes them.

export interface Split {
  /** count x height x width x channels, pixels 0…255. */
  images: Uint8Array;
  /** count indices into the dataset's labels. */
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
  /** Where the dataset has its own; else a part of `train` is held back. */
  validation?: Split;
  /** One checksum over the checksums of all array files. */
  sha256: string;
  /** Files of a folder that are no images and were left out. */
  skipped?: readonly BadImage[];
}

/** A file that is no image, and why. */
export interface BadImage {
  readonly file: string;
  readonly reason: string;
}

/** The same split, its pixels in memory that threads share; as it is where they are already. */
export function sharePixels(split: Split): Split {
  if (split.images.buffer instanceof SharedArrayBuffer) return split;
  const images = new Uint8Array(new SharedArrayBuffer(split.images.length));
  images.set(split.images);
  return { ...split, images };
}
