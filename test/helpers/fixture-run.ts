// A folder → a run over the tiny dataset as train, quantise and evaluate leave it, with seeded weights instead of training.
import { mkdir, writeFile } from 'node:fs/promises';
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
  await runQuantise(fixture.run, { images: 32, reduceRange: true, to: ['int8'] }, fakeIo());
  await measure(fixture.run);
  return fixture;
}

export async function measure(run: string): Promise<void> {
  const target = await resolveTarget(run);
  const dataset = await loadDataset(target.dataset ?? '', target);
  await writeReport(run, await evaluateTarget(target, dataset));
}
