// Paths → the target to evaluate: a run, a published model, or neither.
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { CardError } from '../../../src/inference/errors.js';
import { EvaluationError } from '../../../src/toolkit/evaluation/errors.js';
import { resolveTarget } from '../../../src/toolkit/evaluation/targets.js';
import { writeFixtureModel } from '../../helpers/fixture-model.js';
import { writeTrainedRun } from '../../helpers/fixture-run.js';
import { tinyRecipe } from '../../helpers/tiny-dataset.js';

t.test('a run is evaluated with its exported variants', async (t) => {
  const { run, dataset } = await writeTrainedRun(t.testdir());
  const target = await resolveTarget(run);
  t.strictSame(target, {
    name: 'tiny',
    folder: run,
    isRun: true,
    input: tinyRecipe.input,
    output: 'softmax',
    labels: ['top', 'middle', 'bottom'],
    dataset,
    skipBad: false,
    variants: new Map([['float32', path.join(run, 'float32.onnx')]]),
  });
});

t.test('a run without an exported model is an error', async (t) => {
  const { run } = await writeTrainedRun(t.testdir());
  await rm(path.join(run, 'float32.onnx'));
  await t.rejects(resolveTarget(run), {
    constructor: EvaluationError,
    message: `${run}: the run has no exported model`,
  });
});

t.test('a published model is evaluated with the variants of its card, float32 first', async (t) => {
  const folder = await writeFixtureModel(t.testdir(), { variants: ['int8', 'float32'] });
  t.match(await resolveTarget(folder), {
    name: 'brightness',
    isRun: false,
    labels: ['dark', 'bright'],
    dataset: path.join('data', 'brightness'),
    variants: new Map([
      ['float32', path.join(folder, 'float32.onnx')],
      ['int8', path.join(folder, 'int8.onnx')],
    ]),
  });
});

t.test('the dataset of a published model comes from its provenance', async (t) => {
  const provenance = {
    dataset: { name: 'mnist', sha256: 'x' },
    recipe: 'r',
    seed: 1,
    epochs: 1,
    commands: [],
    date: 'today',
    tool: 'quati',
  };
  const folder = await writeFixtureModel(t.testdir(), { change: (card) => ({ ...card, provenance }) });
  t.equal((await resolveTarget(folder)).dataset, path.join('data', 'mnist'));
});

t.test('a damaged card is an error that names it', async (t) => {
  const folder = await writeFixtureModel(t.testdir(), { change: (card) => ({ ...card, labels: [] }) });
  await t.rejects(resolveTarget(folder), { constructor: CardError, message: /card\.json: \/labels/ });
});

t.test(
  'a folder that is neither, or does not exist, is an error that states what was expected',
  async (t) => {
    const empty = path.join(t.testdir(), 'empty');
    await mkdir(empty);
    for (const folder of [empty, path.join(empty, 'nothing')])
      await t.rejects(resolveTarget(folder), {
        constructor: EvaluationError,
        message: `${folder}: is neither a run (run.json) nor a published model (card.json)`,
      });
  },
);
