// train() from a dataset's folder to a run's folder.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { loadRuntime } from '../../../../src/inference/workers/runtime.js';
import { decodeOnnx } from '../../../../src/toolkit/graph/onnx.js';
import type { Recipe } from '../../../../src/toolkit/training/recipe/recipe.js';
import { readRun, runFolder, writeRun } from '../../../../src/toolkit/training/run/run-folder.js';
import { decodeSafetensors } from '../../../../src/toolkit/training/run/safetensors.js';
import { type TrainOptions, train } from '../../../../src/toolkit/training/run/train.js';
import { startLocalThread } from '../../../helpers/local-training.js';
import { tinyArchitecture, tinyRecipe, writeTinyDataset } from '../../../helpers/tiny-dataset.js';

const local = { startThread: startLocalThread };

type Settings = Partial<TrainOptions> & { readonly change?: Partial<Recipe> };

/** Runs `train` on the tiny dataset, without a thread by default; `stopAfter` aborts after so many steps. */
function createTrain(folder: string, defaults: Pick<TrainOptions, 'startThread'> = local) {
  return async ({ change, ...options }: Settings = {}, stopAfter = Infinity) => {
    const controller = new AbortController();
    let steps = 0;
    const result = await train({
      recipe: { ...tinyRecipe, ...change },
      datasetFolder: path.join(folder, 'data'),
      runFolder: path.join(folder, 'run'),
      command: 'npx quati train tiny',
      tool: 'quati test',
      threads: 1,
      ...defaults,
      signal: controller.signal,
      onStep: () => {
        steps += 1;
        if (steps >= stopAfter) controller.abort();
      },
      ...options,
    });
    return { ...result, seen: steps };
  };
}

async function tensorsOf(run: string): Promise<Record<string, string>> {
  const { checkpoint } = runFolder(run);
  const { tensors } = decodeSafetensors(await readFile(checkpoint), checkpoint);
  return Object.fromEntries(
    [...tensors].map(([name, { bytes }]) => [name, Buffer.from(bytes).toString('base64')]),
  );
}

const onnxOf = async (run: string) => (await readFile(runFolder(run).variant('float32'))).toString('base64');

t.test('a run writes its record, history, checkpoint and a network for any batch size', async (t) => {
  const folder = t.testdir({});
  await writeTinyDataset(path.join(folder, 'data'));
  const epochs: number[] = [];
  const result = await createTrain(folder, {})({ onEpoch: ({ epoch }) => epochs.push(epoch) });
  const run = path.join(folder, 'run');
  t.match(result, { finished: true, steps: 12, parameters: 151, seen: 12 });
  t.same(epochs, [1, 2]);
  t.same((await readdir(run)).sort(), [
    'checkpoint.safetensors',
    'float32.onnx',
    'history.csv',
    'history.json',
    'run.json',
  ]);
  t.same(JSON.parse(await readFile(path.join(run, 'history.json'), 'utf8')), result.history);
  const record = await readRun(run);
  t.match(record, {
    recipe: { name: 'tiny', seed: 1 },
    dataset: { name: 'tiny' },
    labels: ['top', 'middle', 'bottom'],
    parameters: 151,
    commands: ['npx quati train tiny'],
    finished: true,
  });
  t.same(Object.keys(await tensorsOf(run)).slice(0, 5), [
    'conv1.weight',
    'conv1.bias',
    'dense1.weight',
    'dense1.bias',
    'moment1/conv1.weight',
  ]);
  const bytes = await readFile(runFolder(run).variant('float32'));
  t.same(decodeOnnx(bytes).inputs[0]?.type.shape, ['N', 1, 8, 8]);
  const { InferenceSession, Tensor } = await loadRuntime();
  const session = await InferenceSession.create(bytes);
  const { logits } = await session.run({
    image: new Tensor('float32', new Float32Array(5 * 64), [5, 1, 8, 8]),
  });
  t.same(logits?.dims, [5, 3]);
  await session.release();
});

t.test('the same seed twice gives the same checkpoint and the same bytes of float32.onnx', async (t) => {
  const folder = t.testdir({});
  await writeTinyDataset(path.join(folder, 'data'));
  const run = createTrain(folder);
  const [one, two] = [path.join(folder, 'one'), path.join(folder, 'two')];
  await run({ runFolder: one });
  await run({ runFolder: two });
  t.same(await tensorsOf(one), await tensorsOf(two));
  t.equal(await onnxOf(one), await onnxOf(two));
});

t.test(
  'a run that is interrupted and resumed ends with the same bytes as an uninterrupted one',
  async (t) => {
    const folder = t.testdir({});
    await writeTinyDataset(path.join(folder, 'data'));
    const run = createTrain(folder, {});
    const [whole, parts] = [path.join(folder, 'whole'), path.join(folder, 'parts')];
    const change = { epochs: 5 };
    await run({ runFolder: whole, change });
    const stopped = await run({ runFolder: parts, change }, 3);
    t.equal(stopped.finished, false);
    t.ok(stopped.steps >= 3 && stopped.steps < 30, `stopped after ${stopped.steps} steps`);
    t.equal((await readRun(parts)).finished, false);
    t.ok(await onnxOf(parts), 'what was learned so far is exported');
    const epochs: number[] = [];
    const resumed = await run({
      runFolder: parts,
      change,
      existing: 'resume',
      command: 'npx quati train tiny --resume',
      onEpoch: ({ epoch }) => epochs.push(epoch),
    });
    t.equal(resumed.finished, true);
    t.equal(resumed.steps, 30);
    t.equal(resumed.seen, 30 - stopped.steps);
    t.equal(epochs.length, 5 - stopped.history.length, 'an epoch is told of once');
    t.same(await tensorsOf(parts), await tensorsOf(whole));
    t.equal(await onnxOf(parts), await onnxOf(whole));
    t.same((await readRun(parts)).commands, ['npx quati train tiny', 'npx quati train tiny --resume']);
  },
);

t.test('maxSteps ends a run early, and it can be continued', async (t) => {
  const folder = t.testdir({});
  await writeTinyDataset(path.join(folder, 'data'));
  const run = createTrain(folder);
  t.match(await run({ maxSteps: 2 }), { finished: false, steps: 2 });
  t.match(await run({ existing: 'resume' }), { finished: true, steps: 12 });
});

t.test('a diverging run reports it, and its earlier checkpoint stays', async (t) => {
  const folder = t.testdir({});
  await writeTinyDataset(path.join(folder, 'data'));
  const run = createTrain(folder);
  await run({ maxSteps: 6 });
  const saved = await tensorsOf(path.join(folder, 'run'));
  const record = await readRun(path.join(folder, 'run'));
  await writeRun(path.join(folder, 'run'), { ...record, recipe: { ...record.recipe, learningRate: 1e38 } });
  await t.rejects(run({ existing: 'resume' }), {
    name: 'DivergedError',
    message: /the loss is .*: conv1.weight \[\d.* reaches /,
  });
  t.same(await tensorsOf(path.join(folder, 'run')), saved);
  const fresh = path.join(folder, 'fresh');
  await t.rejects(run({ runFolder: fresh, change: { learningRate: 1e38 } }), { name: 'DivergedError' });
  t.same(await readdir(fresh), ['run.json']);
  t.match(await run({ runFolder: fresh }), { finished: true }, 'and is no obstacle to the next');
});

t.test("images of another size than the network's input are refused, with both sizes", async (t) => {
  const folder = t.testdir({});
  const run = createTrain(folder);
  const wide = await writeTinyDataset(path.join(folder, 'wide'), { side: 9 });
  await t.rejects(run({ datasetFolder: wide }), {
    name: 'DatasetMismatchError',
    message: 'tiny: tiny takes images of 1x8x8, but the dataset has 1x9x9',
  });
  await t.rejects(run({ datasetFolder: path.join(folder, 'none') }), { name: 'DatasetMissingError' });
});

t.test(
  'the last layer gets one output per label of the dataset; a network without a dense layer is refused',
  async (t) => {
    const folder = t.testdir({});
    const run = createTrain(folder);
    const labels = ['a', 'b', 'c', 'd'];
    const datasetFolder = await writeTinyDataset(path.join(folder, 'four'), { labels });
    const result = await run({ datasetFolder, maxSteps: 1 });
    t.equal(result.parameters, 40 + 36 * 4 + 4);
    t.same((await readRun(path.join(folder, 'run'))).labels, labels);
    const architecture = { ...tinyArchitecture, layers: tinyArchitecture.layers.slice(0, -1) };
    await t.rejects(run({ datasetFolder, existing: 'replace', change: { architecture } }), {
      name: 'DatasetMismatchError',
      message: 'tiny: ends in flatten, expected a dense layer for 4 labels',
    });
  },
);

t.test('a run is overwritten only with force, and a run that does not exist is not resumed', async (t) => {
  const folder = t.testdir({});
  await writeTinyDataset(path.join(folder, 'data'));
  const run = createTrain(folder);
  await t.rejects(run({ existing: 'resume' }), {
    name: 'RunError',
    message: /holds no checkpoint to resume from$/,
  });
  await run({ maxSteps: 1 });
  await t.rejects(run({ maxSteps: 2 }), {
    name: 'RunError',
    message: /already holds a run: continue it with --resume/,
  });
  t.match(await run({ existing: 'replace', maxSteps: 3 }), { steps: 3 });
});

t.test('a run that replaces another removes the old checkpoint', async (t) => {
  const folder = t.testdir({});
  await writeTinyDataset(path.join(folder, 'data'));
  const run = createTrain(folder);
  await run();
  await t.rejects(run({ existing: 'replace', change: { learningRate: 1e38 } }), { name: 'DivergedError' });
  await t.rejects(run({ existing: 'resume' }), {
    name: 'RunError',
    message: /holds no checkpoint to resume from$/,
  });
});

t.test('a run is not resumed on another dataset', async (t) => {
  const folder = t.testdir({});
  const run = createTrain(folder);
  await writeTinyDataset(path.join(folder, 'data'));
  await writeTinyDataset(path.join(folder, 'other'), { count: 60 });
  await run({ maxSteps: 1 });
  await t.rejects(run({ existing: 'resume', datasetFolder: path.join(folder, 'other') }), {
    name: 'DatasetMismatchError',
    message: /other: is not the dataset of .*run; resume with that dataset/,
  });
});
