// images and a configuration → a contact sheet: one row per image, with the original first, then one column per epoch.
import { createAugmenter } from './augmentation.js';
import type { ImageSize } from './pixels.js';
import type { Augmentation } from './schema.js';

export interface SheetOptions {
  /** The indices of the images in the split. The changes of an image depend on its index. */
  readonly images: readonly number[];
  /** The number of columns after the original, one per epoch. */
  readonly variants: number;
  readonly seed: number;
}

export interface Sheet extends ImageSize {
  readonly pixels: Uint8Array;
}

const gap = 2;
const background = 128;
/** The least width at which images are shown. Pixels of smaller images are repeated. */
const shownWidth = 84;

/** @param split count x height x width x channels pixels. */
export function drawContactSheet(
  split: ImageSize & { readonly images: Uint8Array },
  augmentation: Augmentation,
  { images, variants, seed }: SheetOptions,
): Sheet {
  const { width, height, channels } = split;
  const times = Math.max(1, Math.ceil(shownWidth / width));
  const [stepX, stepY] = [width * times + gap, height * times + gap];
  const sheet = { width: (variants + 1) * stepX + gap, height: images.length * stepY + gap, channels };
  const pixels = new Uint8Array(sheet.width * sheet.height * channels).fill(background);
  const augment = createAugmenter(augmentation, split, seed);
  const length = width * height * channels;
  for (const [row, image] of images.entries()) {
    const original = split.images.subarray(image * length, (image + 1) * length);
    for (let column = 0; column <= variants; column++) {
      const shown = column === 0 ? original : augment(original, column - 1, image);
      place({ ...sheet, pixels }, { width, height, channels, pixels: shown }, times, [
        gap + column * stepX,
        gap + row * stepY,
      ]);
    }
  }
  return { ...sheet, pixels };
}

/** Copies an image onto the sheet, and repeats each pixel `times` x `times`. */
function place(sheet: Sheet, image: Sheet, times: number, [left, top]: readonly [number, number]): void {
  const { channels } = sheet;
  for (let y = 0; y < image.height * times; y++) {
    for (let x = 0; x < image.width * times; x++) {
      const from = (Math.floor(y / times) * image.width + Math.floor(x / times)) * channels;
      sheet.pixels.set(
        image.pixels.subarray(from, from + channels),
        ((top + y) * sheet.width + left + x) * channels,
      );
    }
  }
}
