// A test split → its first images of each label, as PNGs. They are samples in imgs/ and golden images of a card.
import type { InputContract } from '../../inference/image/contract.js';
import type { Dataset } from '../datasets/dataset.js';
import { encodePng } from '../images/png.js';
import { fileStems } from '../labels.js';

export interface Sample {
  readonly label: string;
  /** `<label>-<n>.png`, where n starts at 1. labels.ts makes a file name from the label. */
  readonly file: string;
  readonly png: Uint8Array;
}

/** Returns the first `perLabel` test images of each label, in the order of the labels. A model's answers do not affect the choice. */
export async function firstSamples(
  dataset: Dataset,
  input: InputContract,
  perLabel: number,
): Promise<Sample[]> {
  const { images, labels: truth, height, width, channels } = dataset.test;
  const size = height * width * channels;
  const stems = fileStems(dataset.labels);
  const samples: Sample[] = [];
  for (const [index, label] of dataset.labels.entries()) {
    const found = [...truth.keys()].filter((i) => truth[i] === index).slice(0, perLabel);
    for (const [n, i] of found.entries()) {
      const png = await encodePng(images.subarray(i * size, (i + 1) * size), input);
      samples.push({ label, file: `${stems[index]}-${n + 1}.png`, png });
    }
  }
  return samples;
}

/** Returns at most `count` items, evenly spread. */
export function everyNth<T>(items: readonly T[], count: number): T[] {
  const step = Math.max(1, Math.floor(items.length / count));
  return items.filter((_, i) => i % step === 0).slice(0, count);
}
