// Interrupted and resumed runs against uninterrupted ones, through the run's files: the same bits for every recipe.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { dense } from '../../../../src/toolkit/architectures/layers.js';
import type { Recipe } from '../../../../src/toolkit/training/recipe/recipe.js';
import { readRun, runFolder } from '../../../../src/toolkit/training/run/run-folder.js';
import { decodeSafetensors } from '../../../../src/toolkit/training/run/safetensors.js';
import type { TrainOptions } from '../../../../src/toolkit/training/run/train.js';
import { train } from '../../../../src/toolkit/training/run/train.js';
import { tinyBinary } from '../../../helpers/binary-net.js';
import { startLocalThread } from '../../../helpers/local-training.js';
import { tinyArchitecture, tinyRecipe, writeTinyDataset } from '../../../helpers/tiny-dataset.js';

const twoLabels = ['top', 'middle'];
const oneLogit = { ...tinyArchitecture, layers: [...tinyArchitecture.layers.slice(0, -1), dense(1)] };

interface Case {
  readonly change: Partial<Recipe>;
  readonly labels?: readonly string[];
}

/** Every optimiser, schedule, loss and network of its own kind, in as few runs as hold them. */
const cases: Record<string, Case> = {
  'SGD without momentum, clipped, sigmoid for two labels': {
    change: {
      architecture: oneLogit,
      loss: { kind: 'sigmoid' },
      optimiser: { kind: 'sgd', momentum: 0 },
      clipNorm: 0.5,
      learningRate: 0.1,
    },
    labels: twoLabels,
  },
  'SGD with Nesterov momentum and decay, in steps': {
    change: {
      optimiser: { kind: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 5e-4 },
      learningRate: 0.05,
      schedule: { kind: 'step', milestones: [1, 2.5], factor: 0.3 },
    },
  },
  'Adam with a warm-up and a cosine, signs with an annealed gradient': {
    change: {
      architecture: tinyBinary('annealed-tanh'),
      optimiser: { kind: 'adam' },
      schedule: { kind: 'cosine', warmupEpochs: 0.5 },
    },
  },
  'AdamW in one cycle, labels smoothed, the best kept': {
    change: {
      optimiser: { kind: 'adamw', weightDecay: 0.1 },
      schedule: { kind: 'one-cycle' },
      loss: { kind: 'softmax', labelSmoothing: 0.1 },
      earlyStopping: { monitor: 'valLoss' },
      clipNorm: 1,
      validationSplit: 0.2,
    },
  },
};

for (const [title, { change, labels }] of Object.entries(cases))
  t.test(`${title}: a run that was interrupted twice ends like an uninterrupted one`, async (t) => {
    const folder = t.testdir({});
    const data = await writeTinyDataset(path.join(folder, 'data'), labels ? { labels } : {});
    const [whole, parts] = [path.join(folder, 'whole'), path.join(folder, 'parts')];
    const run = (options: Partial<TrainOptions> & Pick<TrainOptions, 'runFolder'>) =>
      train({
        recipe: { ...tinyRecipe, epochs: 3, ...change },
        datasetFolder: data,
        command: 'npx quati train tiny',
        tool: 'quati test',
        threads: 1,
        startThread: startLocalThread,
        ...options,
      });
    const uninterrupted = await run({ runFolder: whole });
    t.match(await run({ runFolder: parts, maxSteps: 4 }), { finished: false, steps: 4 });
    t.match(await run({ runFolder: parts, existing: 'resume', maxSteps: 11 }), { steps: 11 });
    const resumed = await run({ runFolder: parts, existing: 'resume' });
    t.equal(resumed.finished, true);
    t.same(resumed.history.map(untimed), uninterrupted.history.map(untimed));
    t.same(resumed.best && untimed(resumed.best), uninterrupted.best && untimed(uninterrupted.best));
    t.same(await bitsOf(parts), await bitsOf(whole));
    t.ok(resumed.history.at(-1)?.loss !== resumed.history[0]?.loss, 'it learned something');
  });

t.test('a run with early stopping is not continued, and a run with more epochs is', async (t) => {
  const folder = t.testdir({});
  const data = await writeTinyDataset(path.join(folder, 'data'));
  const recipe: Recipe = {
    ...tinyRecipe,
    epochs: 6,
    // No epoch can be better by that much: the first stays the best.
    earlyStopping: { monitor: 'valAccuracy', patience: 2, minDelta: 1 },
  };
  const run = (options: Partial<TrainOptions> = {}) =>
    train({
      recipe,
      datasetFolder: data,
      runFolder: path.join(folder, 'run'),
      command: 'npx quati train tiny',
      tool: 'quati test',
      threads: 1,
      startThread: startLocalThread,
      ...options,
    });
  const first = await run();
  t.match(first, { finished: true, steps: 18, best: { epoch: 1 } });
  t.equal(first.history.length, 3, 'two epochs were not better');
  t.match((await readRun(path.join(folder, 'run'))).best, { epoch: 1 });
  const again = await run({ existing: 'resume' });
  t.match(again, { finished: true, steps: 18, best: { epoch: 1 } });
  t.equal(again.loss, undefined, 'no step was taken');
});

t.test('the exported weights are those of the best epoch, not of the last', async (t) => {
  const folder = t.testdir({});
  const data = await writeTinyDataset(path.join(folder, 'data'));
  const settings = {
    datasetFolder: data,
    command: 'npx quati train tiny',
    tool: 'quati test',
    threads: 1,
    startThread: startLocalThread,
  };
  const [kept, short] = [path.join(folder, 'kept'), path.join(folder, 'short')];
  const earlyStopping = { monitor: 'valLoss', minDelta: 100 } as const;
  await train({ ...settings, recipe: { ...tinyRecipe, epochs: 3, earlyStopping }, runFolder: kept });
  await train({ ...settings, recipe: { ...tinyRecipe, epochs: 1 }, runFolder: short });
  const onnx = async (run: string) => await readFile(runFolder(run).variant('float32'));
  t.ok((await onnx(kept)).equals(await onnx(short)), 'epoch 1 of 3 is the one epoch of 1');
});

t.test('early stopping without validation images is refused', async (t) => {
  const folder = t.testdir({});
  const data = await writeTinyDataset(path.join(folder, 'data'));
  const earlyStopping = { monitor: 'valLoss', patience: 2 } as const;
  const options: TrainOptions = {
    recipe: { ...tinyRecipe, validationSplit: 0, earlyStopping },
    datasetFolder: data,
    runFolder: path.join(folder, 'run'),
    command: 'npx quati train tiny',
    tool: 'quati test',
    startThread: startLocalThread,
  };
  await t.rejects(train(options), {
    name: 'RecipeError',
    message: /^earlyStopping: needs valLoss, but no image is reserved for validation/,
  });
});

function untimed<T extends { seconds: number; imagesPerSecond: number }>(record: T): object {
  const { seconds: _, imagesPerSecond: __, ...rest } = record;
  return rest;
}

/** Every tensor of the checkpoints and the exported network, in base64. */
async function bitsOf(run: string): Promise<Record<string, string>> {
  const { checkpoint, best, variant, record } = runFolder(run);
  const { recipe } = JSON.parse(await readFile(record, 'utf8')) as { recipe: Recipe };
  const files = recipe.earlyStopping ? [checkpoint, best] : [checkpoint];
  const bits: Record<string, string> = { onnx: (await readFile(variant('float32'))).toString('base64') };
  for (const file of files) {
    const { tensors } = decodeSafetensors(await readFile(file), file);
    for (const [name, { bytes }] of tensors)
      bits[`${path.basename(file)} ${name}`] = Buffer.from(bytes).toString('base64');
  }
  return bits;
}
