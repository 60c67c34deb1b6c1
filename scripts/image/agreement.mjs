// two servers and the same images → where their answers differ: categories, and every confidence.
import { readFile } from 'node:fs/promises';
import pMap from 'p-map';
import { goldenTolerance } from '../../dist/inference/models/golden.js';
import { run } from './tools.mjs';

/** `quati predict imgs/`, all labels of each image. */
export function predictSamples(url) {
  const command = [
    'dist/cli/main.js',
    'predict',
    'imgs/',
    '--url',
    url,
    '--top',
    '1000',
    '--concurrency',
    '1',
    '--json',
  ];
  const { results } = JSON.parse(run('node', command));
  return results.map(({ file, predictions }) => ({ name: file, ...read(predictions) }));
}

/** @param images `{ name, bytes }` or `{ name, file }`. */
export async function classify(url, { model, variant }, images) {
  const query = `top=1000${variant === undefined ? '' : `&variant=${variant}`}`;
  return await pMap(
    images,
    async ({ name, bytes, file }) => {
      const body = bytes ?? (await readFile(file));
      const response = await fetch(`${url}/models/${model}/predict?${query}`, { method: 'POST', body });
      const answer = await response.json();
      if (!response.ok) throw new Error(`${url}: ${name}: ${answer.detail}`);
      return { name, ...read(answer.predictions) };
    },
    { concurrency: 4 },
  );
}

function read(predictions) {
  return {
    category: predictions[0].category,
    confidences: new Map(predictions.map(({ category, confidence }) => [category, confidence])),
  };
}

/** @returns how many images, the most that a confidence differs by, and what is too much, as sentences. */
export function compare(native, emulated) {
  let most = 0;
  const faults = [];
  for (const [i, expected] of native.entries()) {
    const got = emulated[i];
    const moved = Math.max(
      ...[...expected.confidences].map(([label, value]) => Math.abs(value - got.confidences.get(label))),
    );
    most = Math.max(most, moved);
    if (got.category !== expected.category)
      faults.push(`${expected.name}: ${expected.category} on amd64, ${got.category} on arm64`);
    // Not "more than": it has to fail for a confidence that is missing, too.
    if (!(moved <= goldenTolerance))
      faults.push(`${expected.name}: a confidence moved by ${moved}, allowed are ${goldenTolerance}`);
  }
  if (native.length === 0 || native.length !== emulated.length)
    faults.push(`${native.length} answers on amd64, ${emulated.length} on arm64`);
  return { images: native.length, most, faults };
}
