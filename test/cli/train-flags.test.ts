// The flags of quati train → a recipe's values; and the flags that a resumed run accepts.

import path from 'node:path';
import { Command } from 'commander';
import t from 'tap';
import { runCli } from '../../src/cli/program.js';
import { addTrainFlags, overridesOf, type TrainFlags } from '../../src/cli/train-flags.js';
import { findRecipe } from '../../src/toolkit/training/recipe/bundled/index.js';
import { flagOf, overrideNames, type RecipeOverrides } from '../../src/toolkit/training/recipe/overrides.js';
import { resolveRecipe } from '../../src/toolkit/training/recipe/resolve.js';
import { type RunRecord, writeRun } from '../../src/toolkit/training/run/run-folder.js';
import { fakeIo } from './fake-io.js';

function parse(...argv: string[]): RecipeOverrides {
  const command = addTrainFlags(new Command('train')).exitOverride();
  return overridesOf(command.parse(argv, { from: 'user' }).opts<TrainFlags>());
}

async function run(...argv: string[]) {
  const io = fakeIo();
  const code = await runCli(argv, io);
  return { code, out: io.out(), err: io.err() };
}

t.test('every value of a recipe has a flag, and the help lists it', async (t) => {
  const { out } = await run('train', '--help');
  for (const name of overrideNames) t.match(out, `${flagOf(name)} `, name);
});

const parsed: [argv: string, expected: RecipeOverrides][] = [
  ['', {}],
  ['--epochs 3 --batch-size 16 --seed 7', { epochs: 3, batchSize: 16, seed: 7 }],
  ['--optimiser sgd --momentum 0.8 --no-nesterov', { optimiser: 'sgd', momentum: 0.8, nesterov: false }],
  ['--nesterov --weight-decay 5e-4 --clip-norm 1', { nesterov: true, weightDecay: 5e-4, clipNorm: 1 }],
  [
    '--schedule step --milestones 3,4.5 --factor 0.2',
    { schedule: 'step', milestones: [3, 4.5], factor: 0.2 },
  ],
  ['--patience 4 --monitor valAccuracy', { patience: 4, monitor: 'valAccuracy' }],
  ['--no-early-stopping', { earlyStopping: false }],
  ['--restore-best --label-smoothing 0.1', { restoreBest: true, labelSmoothing: 0.1 }],
  ['--no-flip --fill edge --cutout-size 8', { flip: false, fill: 'edge', cutoutSize: 8 }],
  [
    '--sign-gradient annealed-tanh --block-order activation-norm --activations float32 --last-layer float32',
    {
      signGradient: 'annealed-tanh',
      blockOrder: 'activation-norm',
      activations: 'float32',
      lastLayer: 'float32',
    },
  ],
  ['--run elsewhere --threads 1 --fill 255', { fill: 255 }],
];
for (const [argv, expected] of parsed)
  t.test(`quati train … ${argv}`, async (t) => {
    t.strictSame(parse(...argv.split(' ').filter((word) => word !== '')), expected);
  });

t.test('the examples in the help are valid', async (t) => {
  const { out } = await run('train', '--help');
  const examples = [...out.matchAll(/\$ quati train mnist-cnn(.*)/g)].map(([, flags = '']) => flags);
  t.ok(examples.length > 5);
  for (const flags of examples) {
    const argv =
      flags
        .split('  ')[0]
        ?.trim()
        .split(' ')
        .filter((word) => word !== '') ?? [];
    t.ok(resolveRecipe(findRecipe('mnist-cnn'), parse(...argv)), flags);
  }
});

const wrong: [title: string, flags: string, message: RegExp][] = [
  ['an invalid number', '--momentum much', /option '--momentum <x>'.* expected a number/],
  ['a list with an empty value', '--milestones 3,,4', /expected a number/],
  ['an unknown optimiser', '--optimiser lion', /Allowed choices are sgd, adam, adamw/],
  [
    'a value that is out of range',
    '--label-smoothing 2',
    /error: labelSmoothing: expected a number in \[0, 1\)/,
  ],
  [
    'a value that the optimiser has no place for',
    '--momentum 0.5',
    /error: Optimiser adam has no option momentum; its options are beta1, beta2, epsilon/,
  ],
];
for (const [title, flags, message] of wrong)
  t.test(`${title} is wrong use`, async (t) => {
    t.match(await run('train', 'mnist-cnn', ...flags.split(' ')), { code: 2, out: '', err: message });
  });

t.test('a resumed run keeps its values: a flag that would change one is wrong use', async (t) => {
  const folder = path.join(t.testdir(), 'run');
  const record: RunRecord = {
    recipe: findRecipe('mnist-cnn'),
    dataset: { name: 'mnist', folder: 'nowhere', sha256: 'none' },
    labels: [],
    parameters: 0,
    tool: 'quati test',
    started: 'today',
    commands: [],
    finished: false,
  };
  const resume = (...flags: string[]) => run('train', 'mnist-cnn', '--run', folder, '--resume', ...flags);
  t.match(await resume('--learning-rate', '0.1'), {
    code: 2,
    err: /--learning-rate cannot change in a resumed run; --force starts a new one/,
  });
  t.match(await resume('--no-early-stopping'), { code: 2, err: /--no-early-stopping cannot change/ });
  await writeRun(folder, record);
  t.match(await resume('--epochs', '9'), { code: 1, err: /holds no checkpoint to resume from/ });
  await writeRun(folder, { ...record, recipe: { ...record.recipe, name: 'other' } });
  t.match(await resume(), { code: 2, err: /run holds a run of other, not of mnist-cnn/ });
});
