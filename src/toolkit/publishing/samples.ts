// A test split → its first images of each label, as PNGs: for imgs/ and for the golden images of a card.
import type { InputContract } from '../../inference/image/contract.js';
import type { Dataset } from '../datasets/dataset.js';
import { encodePng } from '../images/png.js';

export interface Sample {
  readonly label: string;
  /** `<label>-<n>.png`, n from 1 on. */
  readonly file: string;
  readonly png: Uint8Array;
}

/** The first `perLabel` test images of every label, in the order of the labels: not chosen for what a model says of them. */
export async function firstSamples(
  dataset: Dataset,
  input: InputContract,
  perLabel: number,
): Promise<Sample[]> {
  const { images, labels: truth, height, width, channels } = dataset.test;
  const size = height * width * channels;
  const samples: Sample[] = [];
  for (const [index, label] of dataset.labels.entries()) {
    const found = [...truth.keys()].filter((i) => truth[i] === index).slice(0, perLabel);
    for (const [n, i] of found.entries()) {
      const png = await encodePng(images.subarray(i * size, (i + 1) * size), input);
      samples.push({ label, file: `${label}-${n + 1}.png`, png });
    }
  }
  return samples;
}

/** `count` of them, evenly spread. */
export function everyNth<T>(items: readonly T[], count: number): T[] {
  const step = Math.max(1, Math.floor(items.length / count));
  return items.filter((_, i) => i % step === 0).slice(0, count);
}
