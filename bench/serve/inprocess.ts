// In a separate process: one image, decoded and classified repeatedly on every processor → images/s, without HTTP.
//
//   inprocess.js <models folder> <model> <variant> <image> <seconds>
import { readFile } from 'node:fs/promises';
import type { VariantName } from '#dist/inference/models/card.js';
import { readRepository } from '#dist/inference/models/repository.js';
import { countCpus } from '#dist/inference/workers/cpus.js';
import { createPool } from '#dist/inference/workers/pool.js';
import type { RunnerImage, RunnerResult } from '#dist/inference/workers/runner.js';

const [folder = '', name = '', variant = '', file = '', seconds] = process.argv.slice(2);
const batch = 16;
const { stored } = await readRepository(folder, { variant: variant as VariantName });
const found = stored.findLast((candidate) => candidate.name === name);
if (!found) throw new Error(`${folder} has no model ${name}`);
const { key, file: modelFile, card } = found;
const threads = countCpus();
const pool = createPool({ models: [{ key, file: modelFile, input: card.input }], threads });
const bytes = await readFile(file);
const images = Array.from(
  { length: batch },
  (): RunnerImage => ({ bytes, wanted: 'scores', deadline: Number.POSITIVE_INFINITY }),
);

await pool.started();
const [first] = await classify();
if (first && 'error' in first) throw new Error(first.error.message);
let count = 0;
const start = performance.now();
const until = start + Number(seconds) * 1000;
await Promise.all(Array.from({ length: threads }, classifyUntil));
const elapsed = performance.now() - start;
await pool.close();
process.stdout.write(`${JSON.stringify({ imagesPerSecond: (count * 1000) / elapsed })}\n`);

/** There is one caller per worker, so a worker is always free. */
async function classify(): Promise<RunnerResult[]> {
  const run = pool.take();
  if (!run) throw new Error('No worker is free');
  return await run(key, images);
}

async function classifyUntil(): Promise<void> {
  while (performance.now() < until) {
    // Not `count += (await …).length`: that reads the count before it waits, and loses what other callers add meanwhile.
    const results = await classify();
    count += results.length;
  }
}
