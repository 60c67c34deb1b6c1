// A folder → a run over the tiny dataset as train, quantise and evaluate leave it, with seeded weights instead of training.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runQuantise } from '../../src/cli/quantise.js';
import { loadDataset } from '../../src/toolkit/datasets/load.js';
import { manifestSha256, readManifest } from '../../src/toolkit/datasets/manifest.js';
import { evaluateTarget } from '../../src/toolkit/evaluation/evaluate-target.js';
import { writeReport } from '../../src/toolkit/evaluation/report.js';
import { resolveTarget } from '../../src/toolkit/evaluation/targets.js';
import { encodeOnnx } from '../../src/toolkit/graph/onnx.js';
import { runFolder, writeRun } from '../../src/toolkit/training/run/run-folder.js';
import { fakeIo } from '../cli/fake-io.js';
import { smallGraph } from './quantised-net.js';
import { tinyArchitecture, tinyRecipe, writeTinyDataset } from './tiny-dataset.js';

export interface FixtureRun {
  readonly run: string;
  readonly dataset: string;
}

/** @returns folders below `root`; the run holds float32.onnx. */
export async function writeTrainedRun(root: string, seed = 1): Promise<FixtureRun> {
  const run = path.join(root, 'run');
  const dataset = await writeTinyDataset(path.join(root, 'data'));
  const manifest = await readManifest(dataset);
  await mkdir(run, { recursive: true });
  await writeWeights(run, seed);
  await writeRun(run, {
    recipe: tinyRecipe,
    dataset: { name: manifest.name, folder: dataset, sha256: manifestSha256(manifest) },
    labels: manifest.labels,
    parameters: 151,
    tool: 'quati test',
    started: '2026-01-01T00:00:00.000Z',
    commands: ['npx quati train tiny'],
    finished: true,
  });
  return { run, dataset };
}

export async function writeWeights(run: string, seed: number): Promise<void> {
  await writeFile(runFolder(run).variant('float32'), encodeOnnx(smallGraph(seed, tinyArchitecture)));
}

/** The same with int8.onnx and evaluation.json: ready to be published. */
export async function writeMeasuredRun(root: string): Promise<FixtureRun> {
  const fixture = await writeTrainedRun(root);
  measuredFiles ??= makeMeasuredFiles();
  for (const [name, bytes] of await measuredFiles) await writeFile(path.join(fixture.run, name), bytes);
  return fixture;
}

/** Made once for all tests of a file: every such run has the same weights and images. */
let measuredFiles: Promise<ReadonlyMap<string, Uint8Array>> | undefined;

async function makeMeasuredFiles(): Promise<ReadonlyMap<string, Uint8Array>> {
  const root = await mkdtemp(path.join(tmpdir(), 'quati-run-'));
  try {
    const { run } = await writeTrainedRun(root);
    const before = new Set(await readdir(run));
    await runQuantise(run, { images: 32, reduceRange: true, to: ['int8'] }, fakeIo());
    await measure(run);
    const made = (await readdir(run)).filter((name) => !before.has(name));
    return new Map(
      await Promise.all(made.map(async (name) => [name, await readFile(path.join(run, name))] as const)),
    );
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** As `quati evaluate` does, but for speeds: those are measured for as short as can be. */
export async function measure(run: string): Promise<void> {
  const target = await resolveTarget(run);
  const dataset = await loadDataset(target.dataset ?? '', target);
  await writeReport(run, await evaluateTarget(target, dataset, { speedBudgetMs: 0 }));
}
