// Two servers and the same images → the differences of categories and confidences.
import { readFile } from 'node:fs/promises';
import pMap from 'p-map';
import { type Prediction, toPrediction } from '#dist/client/answers.js';
import { goldenTolerance } from '#dist/inference/models/golden.js';
import { run } from '../run.js';

export type ImageSource = { name: string; bytes: Uint8Array } | { name: string; file: string };

export interface Asked {
  model: string;
  /** The variant; by default the served one. */
  variant?: string;
  images: ImageSource[];
}

export interface Answer {
  /** Of the image. */
  name: string;
  category: string;
  /** By label. */
  confidences: ReadonlyMap<string, number>;
}

export interface Agreement {
  images: number;
  /** The largest difference of a confidence. */
  most: number;
  /** The faults, as sentences. */
  faults: string[];
}

/** Runs `quati predict imgs/`, which gives the confidence of every label of each image. */
export async function predictSamples(url: string): Promise<Answer[]> {
  const flags = ['--url', url, '--top', '1000', '--concurrency', '1', '--json'];
  const output = await run('node', ['dist/cli/main.js', 'predict', 'imgs/', ...flags]);
  const { results } = JSON.parse(output) as { results: (Prediction & { file: string })[] };
  return results.map(({ file, predictions }) => toAnswer(file, predictions));
}

/** @throws Error with the image that the server refused. */
export async function classify(url: string, { model, variant, images }: Asked): Promise<Answer[]> {
  const query = `top=1000${variant === undefined ? '' : `&variant=${variant}`}`;
  return await pMap(
    images,
    async (image) => {
      const body = 'file' in image ? await readFile(image.file) : Buffer.from(image.bytes);
      const response = await fetch(`${url}/models/${model}/predict?${query}`, { method: 'POST', body });
      const answer = await response.text();
      const prediction = response.ok ? toPrediction(JSON.parse(answer)) : undefined;
      if (!prediction) throw new Error(`${url}: ${image.name}: ${response.status} ${answer}`);
      return toAnswer(image.name, prediction.predictions);
    },
    { concurrency: 4 },
  );
}

function toAnswer(name: string, predictions: Prediction['predictions']): Answer {
  return {
    name,
    category: predictions[0]?.category ?? '',
    confidences: new Map(predictions.map(({ category, confidence }) => [category, confidence])),
  };
}

export function compare(native: readonly Answer[], emulated: readonly Answer[]): Agreement {
  const pairs = native.flatMap((expected, i) => {
    const got = emulated[i];
    return got ? [{ expected, got, moved: mostMoved(expected, got) }] : [];
  });
  const faults = pairs.flatMap(({ expected, got, moved }) => [
    ...(got.category === expected.category
      ? []
      : [`${expected.name}: ${expected.category} on amd64, ${got.category} on arm64`]),
    ...(moved <= goldenTolerance
      ? []
      : [`${expected.name}: a confidence differs by ${moved}, allowed is ${goldenTolerance}`]),
  ]);
  if (native.length === 0 || native.length !== emulated.length)
    faults.push(`${native.length} predictions on amd64, ${emulated.length} on arm64`);
  return { images: native.length, most: Math.max(0, ...pairs.map(({ moved }) => moved)), faults };
}

/** NaN, which no tolerance allows, if a label is missing. */
function mostMoved({ confidences }: Answer, got: Answer): number {
  const moves = [...confidences].map(([label, value]) =>
    Math.abs(value - (got.confidences.get(label) ?? Number.NaN)),
  );
  return Math.max(...moves);
}
