// Epochs on the caller's thread: the training images, the records, and continuing from a checkpoint.
import t from 'tap';
import type { Dataset } from '../../../../src/toolkit/datasets/dataset.js';
import { type Batch, createBatchReader } from '../../../../src/toolkit/training/batches/batches.js';
import { imagesOf } from '../../../../src/toolkit/training/batches/training-images.js';
import type { Recipe } from '../../../../src/toolkit/training/recipe/recipe.js';
import type { Checkpoint } from '../../../../src/toolkit/training/run/checkpoint.js';
import {
  type EpochsOptions,
  type EpochsResult,
  runEpochs,
  type StepProgress,
  startOfRun,
} from '../../../../src/toolkit/training/run/epochs.js';
import { glorotUniform } from '../../../../src/toolkit/training/step/initialisers.js';
import { architectureNetwork } from '../../../../src/toolkit/training/step/network.js';
import { optimiserOf } from '../../../../src/toolkit/training/step/optimisers.js';
import { collectParameters, tensorsToVector } from '../../../../src/toolkit/training/step/parameters.js';
import {
  createStepRunner,
  type StepRunner,
  type StepState,
} from '../../../../src/toolkit/training/step/step-runner.js';
import { tinyRecipe, tinySplit } from '../../../helpers/tiny-dataset.js';

const dataset: Dataset = {
  name: 'tiny',
  labels: ['top', 'middle', 'bottom'],
  train: tinySplit(50, 1),
  test: tinySplit(10, 2),
  sha256: 'none',
};

interface Run {
  readonly result: EpochsResult;
  readonly checkpoints: readonly Checkpoint[];
  readonly steps: readonly StepProgress[];
  readonly state: StepState;
  readonly batches: readonly Batch[];
}

function initialState(recipe: Recipe): StepState {
  const { layout, tensors } = collectParameters(recipe.architecture, glorotUniform(recipe.seed));
  const zeros = () => new Float32Array(layout.length);
  return { step: 0, parameters: tensorsToVector(layout, tensors, 'initial'), optimiser: [zeros(), zeros()] };
}

async function run(
  recipe: Recipe,
  from?: Checkpoint,
  options: Pick<EpochsOptions, 'maxSteps'> & { stopAfter?: number; checkpoints?: Checkpoint[] } = {},
): Promise<Run> {
  const { stopAfter = Infinity, checkpoints = [], ...rest } = options;
  const runner = await createStepRunner({
    network: architectureNetwork(recipe.architecture, glorotUniform(recipe.seed)),
    optimiser: optimiserOf(recipe),
    state: from?.state ?? initialState(recipe),
    threads: 1,
  });
  const steps: StepProgress[] = [];
  const batches: Batch[] = [];
  const watched: StepRunner = {
    ...runner,
    step: async (batch, rate) => {
      batches.push(batch);
      return await runner.step(batch, rate);
    },
  };
  const result = await runEpochs({
    recipe,
    images: imagesOf(dataset, recipe),
    runner: watched,
    start: from ?? startOfRun,
    shouldStop: () => steps.length >= stopAfter,
    onStep: (progress) => steps.push(progress),
    onCheckpoint: async (checkpoint) => {
      checkpoints.push(checkpoint);
    },
    ...rest,
  });
  const state = runner.state();
  await runner.release();
  return { result, checkpoints, steps, state, batches };
}

const pixelsOf = (batches: readonly Batch[]) =>
  batches.flatMap(({ images, count }) =>
    Array.from({ length: count }, (_, i) => images.subarray(i * 64, (i + 1) * 64).join()),
  );
const untimed = ({ history }: EpochsResult) =>
  history.map(({ seconds: _, imagesPerSecond: __, ...record }) => record);
const last = <T>(values: readonly T[]) => values.at(-1) as T;

t.test(
  'each epoch trains once on every image outside the validation split; the last batch holds the rest',
  async (t) => {
    const { batches, steps, result } = await run(tinyRecipe);
    const sizes = [8, 8, 8, 8, 8, 5];
    t.same(
      batches.map(({ count }) => count),
      [...sizes, ...sizes],
    );
    const [first, second] = [pixelsOf(batches.slice(0, 6)), pixelsOf(batches.slice(6))];
    t.equal(new Set(first).size, 45);
    t.same(
      new Set(second),
      new Set(first),
      'the same images in both epochs, so that none is ever validated on',
    );
    t.not(second.join(';'), first.join(';'), 'in another order');
    t.same(steps.map(({ epoch, batch, batches }) => `${epoch}:${batch}/${batches}`).slice(4, 8), [
      '1:5/6',
      '1:6/6',
      '2:1/6',
      '2:2/6',
    ]);
    t.equal(result.finished, true);
  },
);

t.test('the loss falls, and the record states training, validation and progress', async (t) => {
  const { result, steps } = await run({ ...tinyRecipe, epochs: 12 });
  const [first] = result.history;
  const final = last(result.history);
  t.equal(result.history.length, 12);
  t.ok(final.loss < 0.3 * (first?.loss ?? 0), `${first?.loss} to ${final.loss}`);
  t.ok((final.valAccuracy ?? 0) >= 0.8, `validation accuracy ${final.valAccuracy}`);
  t.equal(final.epoch, 12);
  t.equal(final.learningRate, 0.01);
  t.equal(final.loss, last(steps).loss, 'means over images: a smaller batch counts less');
  t.equal(final.accuracy, last(steps).accuracy);
  const weighted = steps
    .slice(0, 6)
    .reduce((sum, { stepLoss, batch }) => sum + stepLoss * (batch < 6 ? 8 : 5), 0);
  t.ok(Math.abs(weighted / 45 - (first?.loss ?? 0)) < 1e-12);
});

t.test('the same seed gives the same bits, another seed gives others', async (t) => {
  const [one, two, other] = [
    await run(tinyRecipe),
    await run(tinyRecipe),
    await run({ ...tinyRecipe, seed: 2 }),
  ];
  t.same(one.state, two.state);
  t.same(untimed(one.result), untimed(two.result));
  t.notSame(one.state.parameters, other.state.parameters);
});

t.test(
  'a run that was stopped anywhere and continued ends with the same bits as an uninterrupted run',
  async (t) => {
    const whole = await run(tinyRecipe);
    for (const stopAfter of [0, 1, 4, 5, 6, 7, 11]) {
      const stopped = await run(tinyRecipe, undefined, { stopAfter });
      t.equal(stopped.result.finished, false);
      t.equal(stopped.steps.length, stopAfter);
      const resumed = await run(tinyRecipe, last(stopped.checkpoints));
      t.same(resumed.state, whole.state, `stopped after ${stopAfter} steps: parameters and moments`);
      t.same(untimed(resumed.result), untimed(whole.result), 'and history');
      t.equal(resumed.steps.length, 12 - stopAfter);
    }
  },
);

t.test('a finished run with more epochs continues at its end', async (t) => {
  const two = await run(tinyRecipe);
  const more = await run({ ...tinyRecipe, epochs: 3 }, last(two.checkpoints));
  const whole = await run({ ...tinyRecipe, epochs: 3 });
  t.same(more.state, whole.state);
  t.equal(more.steps.length, 6);
  const none = await run(tinyRecipe, last(two.checkpoints));
  t.equal(none.steps.length, 0, 'and takes no step when there is nothing left');
  t.equal(none.result.finished, true);
});

t.test('maxSteps counts all steps of a run, also those before a resume', async (t) => {
  const first = await run(tinyRecipe, undefined, { maxSteps: 4 });
  t.equal(first.steps.length, 4);
  t.equal(first.result.finished, false);
  const second = await run(tinyRecipe, last(first.checkpoints), { maxSteps: 7 });
  t.equal(second.steps.length, 3);
  t.equal(second.state.step, 7);
});

t.test('without a validation split no image is reserved, and no validation is recorded', async (t) => {
  const { result, batches } = await run({ ...tinyRecipe, epochs: 1, validationSplit: 0 });
  t.equal(pixelsOf(batches).length, 50);
  t.equal(result.history[0]?.valLoss, undefined);
  t.equal(result.history[0]?.valAccuracy, undefined);
});

t.test('a batch size above the number of images gives one batch', async (t) => {
  const { batches } = await run({ ...tinyRecipe, epochs: 1, batchSize: 1000 });
  t.same(
    batches.map(({ count }) => count),
    [45],
  );
});

t.test('a loss that is not a number ends the run before the state changes', async (t) => {
  const checkpoints: Checkpoint[] = [];
  const recipe = { ...tinyRecipe, learningRate: 1e38 };
  await t.rejects(run(recipe, undefined, { checkpoints }), {
    name: 'DivergedError',
    message: /^step \d+: the loss is (NaN|-?Infinity): \w+\.\w+ \[[\d, ]+\] reaches \S+; a lower/,
  });
  t.same(checkpoints, []);
});

t.test('weights that are not finite are never saved in a checkpoint, also after the last step', async (t) => {
  const one = { ...tinyRecipe, epochs: 1, batchSize: 50, learningRate: Number.MAX_VALUE };
  for (const validationSplit of [0, 0.1]) {
    const checkpoints: Checkpoint[] = [];
    await t.rejects(run({ ...one, validationSplit }, undefined, { checkpoints }), {
      name: 'DivergedError',
      message:
        /^step 1: the (weights are not finite numbers|validation loss is NaN): \w+\.\w+ \[[\d, ]+\] reaches \S+; a/,
    });
    t.same(checkpoints, []);
  }
});

t.test('the serving code converts images to tensors: scaled, channel by channel', async (t) => {
  const { images, labels, count } = createBatchReader(
    dataset.train,
    tinyRecipe.input,
    2,
  )(Uint32Array.of(7, 3, 9), 1);
  t.equal(count, 1, 'the last batch holds what is left');
  t.same(
    images,
    Float32Array.from(dataset.train.images.subarray(9 * 64, 10 * 64), (pixel) => pixel / 255),
  );
  t.same(labels, BigInt64Array.of(BigInt(dataset.train.labels[9] ?? -1)));
});
