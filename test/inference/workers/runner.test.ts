// models of which most load at their first request → the results of each, while only a few stay open.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { createRunner, type RunnerModel } from '../../../src/inference/workers/runner.js';
import { resultToScores } from '../../../src/inference/workers/wire.js';
import { grayInput, writeFixtureModel } from '../../helpers/fixture-model.js';
import { solidPng } from '../../helpers/images.js';

/** Model i has i + 2 labels. */
async function setUp(folder: string, count: number): Promise<RunnerModel[]> {
  const models: RunnerModel[] = [];
  for (let i = 0; i < count; i++) {
    const labels = Array.from({ length: i + 2 }, (_, l) => `label ${l}`);
    const file = join(await writeFixtureModel(folder, { name: `model-${i}`, labels }), 'float32.onnx');
    models.push({ key: `model-${i}`, file, input: grayInput, onDemand: i > 0 });
  }
  return models;
}

t.test('the models that were used last stay open, and so do those that always are', async (t) => {
  const models = await setUp(t.testdir(), 10);
  const runner = await createRunner(models, 1000);
  const image = { bytes: solidPng(28, 28, 255), wanted: 'scores' as const, deadline: Infinity };
  const labelsOf = async (i: number) => {
    const [result] = await runner.run(`model-${i}`, [image]);
    return result && 'error' in result ? 0 : resultToScores(result).length;
  };
  for (const i of [1, 2, 3, 4, 5, 6, 7, 8, 9, 3, 1, 9, 2, 3]) t.equal(await labelsOf(i), i + 2);
  for (const { file } of models) await rm(file);
  for (const i of [0, 1, 9, 2, 3]) t.equal(await labelsOf(i), i + 2, `model ${i} is open`);
  for (const i of [4, 5, 6, 7, 8]) t.equal(await labelsOf(i), 0, `model ${i} is not`);
});

t.test(
  'a worker that replaces another fails if a model is gone, so that others run its images',
  async (t) => {
    const models = await setUp(t.testdir(), 2);
    await rm(models[0]?.file ?? '');
    await t.rejects(createRunner(models, 1000, { mustOpen: true }), { name: 'ModelError' });
    t.ok(await createRunner(models, 1000));
  },
);
