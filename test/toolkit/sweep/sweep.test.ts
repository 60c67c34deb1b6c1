// A sweep over a tiny dataset: every run happens once, whatever stops it in between; and the table and plot of the results.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import type { Grid } from '../../../src/toolkit/sweep/grid.js';
import { runName, runsOf } from '../../../src/toolkit/sweep/grid.js';
import type { SweepResult } from '../../../src/toolkit/sweep/record.js';
import { writeSweepResults } from '../../../src/toolkit/sweep/results.js';
import { summarise, sweepTable } from '../../../src/toolkit/sweep/summary.js';
import { type SweepOptions, sweep } from '../../../src/toolkit/sweep/sweep.js';
import { lenet5BinaryRecipe } from '../../../src/toolkit/training/recipe/bundled/lenet5-binary.js';
import { readRun } from '../../../src/toolkit/training/run/run-folder.js';
import { startLocalThread } from '../../helpers/local-training.js';
import { writeTinyDataset } from '../../helpers/tiny-dataset.js';

const grid: Grid = {
  signGradients: ['clipped', 'annealed-tanh'],
  blockOrders: ['norm-activation'],
  activations: ['binary'],
  seeds: [1],
};
const labels = ['top', 'middle', 'bottom', 'a', 'b', 'c', 'd', 'e', 'f', 'g'];

async function sweeper(root: string) {
  const datasetFolder = await writeTinyDataset(path.join(root, 'data'), { side: 28, labels });
  const recipe = { ...lenet5BinaryRecipe, epochs: 2, batchSize: 16 };
  return (folder: string, options: Partial<SweepOptions> = {}) =>
    sweep({
      recipe,
      grid,
      datasetFolder,
      folder: path.join(root, folder),
      threads: 1,
      command: 'npx quati sweep lenet5-binary',
      tool: 'quati test',
      startThread: startLocalThread,
      ...options,
    });
}

const untimed = (results: readonly SweepResult[]) => results.map(({ seconds: _, ...rest }) => rest);

t.test('every gradient runs with the first seed before any runs with the second', async (t) => {
  t.same(runsOf({ ...grid, seeds: [1, 2] }).map(runName), [
    'binary-clipped-norm-activation-1',
    'binary-annealed-tanh-norm-activation-1',
    'binary-clipped-norm-activation-2',
    'binary-annealed-tanh-norm-activation-2',
  ]);
});

t.test('a sweep that was stopped during a run continues there, to the same results', async (t) => {
  const root = t.testdir({});
  const run = await sweeper(root);
  const whole = await run('whole');
  t.equal(whole.finished, true);
  t.same(whole.record.results.map(runName), runsOf(grid).map(runName));
  const controller = new AbortController();
  let steps = 0;
  const stopped = await run('parts', {
    signal: controller.signal,
    onStep() {
      steps += 1;
      if (steps === 8) controller.abort();
    },
  });
  t.match(stopped, { finished: false, record: { results: [{ seed: 1 }] } });
  const began: string[] = [];
  const resumed = await run('parts', { onRun: (next) => began.push(runName(next)) });
  t.same(began, runsOf(grid).slice(1).map(runName), 'what had ended is not run again');
  t.same(untimed(resumed.record.results), untimed(whole.record.results));
  const { recipe, finished } = await readRun(path.join(root, 'parts', began[0] ?? ''));
  t.match(
    { recipe, finished },
    { finished: true, recipe: { seed: 1, binarisation: { signGradient: 'annealed-tanh' } } },
  );
});

t.test('a sweep with other values is not continued, and starts again only with force', async (t) => {
  const root = t.testdir({});
  const run = await sweeper(root);
  const one = { ...grid, signGradients: ['clipped' as const] };
  const first = await run('sweep', { grid: one });
  const recipe = { ...lenet5BinaryRecipe, epochs: 1, batchSize: 16 };
  await t.rejects(run('sweep', { grid: one, recipe }), {
    name: 'SweepError',
    message: /sweep already holds a sweep with other values or images: .*--force to start again/,
  });
  const anew = await run('sweep', { grid: one, recipe, replace: true });
  t.equal(anew.record.results.length, 1);
  t.not(anew.record.results[0]?.loss, first.record.results[0]?.loss);
  t.ok((await readdir(path.join(root, 'sweep', 'binary-clipped-norm-activation-1'))).includes('binary.onnx'));
});

const result = (values: Partial<SweepResult>): SweepResult => ({
  signGradient: 'clipped',
  blockOrder: 'norm-activation',
  activations: 'binary',
  seed: 1,
  accuracy: 0.98,
  loss: 0.1,
  seconds: 1,
  ...values,
});
const results = [
  result({}),
  result({ signGradient: 'swish', accuracy: 0.97 }),
  result({ activations: 'float32', accuracy: 0.99 }),
  result({ seed: 2, accuracy: 0.984 }),
];

t.test(
  'the table has mean and deviation over the seeds, real activations first, then the most accurate',
  async (t) => {
    t.match(summarise(results), [
      { activations: 'float32', accuracies: [0.99] },
      { signGradient: 'clipped', accuracies: [0.98, 0.984] },
      { signGradient: 'swish' },
    ]);
    const record = { recipe: lenet5BinaryRecipe, datasetSha256: 'x', results };
    t.same(sweepTable(record).split('\n').slice(2), [
      '| weights | clipped | norm-activation | 99.00 % | 1 |',
      '| weights and activations | clipped | norm-activation | 98.20 ± 0.28 % | 2 |',
      '| weights and activations | swish | norm-activation | 97.00 % | 1 |',
    ]);
  },
);

t.test('table and plot state the number of finished runs', async (t) => {
  const out = path.join(t.testdir({}), 'out');
  const record = { recipe: lenet5BinaryRecipe, datasetSha256: 'x', results };
  const written = await writeSweepResults(record, 60, 'npx quati sweep lenet5-binary', out);
  t.same(
    written.map((file) => path.basename(file)),
    ['sweep.md', 'sweep.svg', 'sweep.png'],
  );
  t.match(
    await readFile(path.join(out, 'sweep.md'), 'utf8'),
    /after 4 of 60 runs of 40 epochs each on mnist/,
  );
  const svg = await readFile(path.join(out, 'sweep.svg'), 'utf8');
  for (const text of ['clipped', 'swish', 'Binary weights and activations', 'norm-activation'])
    t.match(svg, text);
});
