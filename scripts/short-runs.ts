// CIFAR-10's recipes, each with one change, trained briefly on a part of the images → docs/results/cifar10/short-runs.md.
//
//   npm run short-runs                        keeps existing runs
//   --epochs 3 --validation-split 0.7         15,000 training images, 35,000 validation images
//   --only warm-up                            only changes with this text in their name
//   --out <file>                              default: that file, or with --only standard output
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { EpochRecord } from '#dist/toolkit/training/run/history.js';

const { values: flags } = parseArgs({
  options: {
    epochs: { type: 'string', default: '3' },
    'validation-split': { type: 'string', default: '0.7' },
    only: { type: 'string', default: '' },
    out: { type: 'string' },
  },
});

interface Row {
  recipe: string;
  /** The name of the change, and its flags. */
  name: string;
  changed: string[];
  /** The figures of the last epoch. */
  last: EpochRecord;
}

/** Recipe → name of the change → flags. */
const changes: Record<string, Record<string, string[]>> = {
  'cifar10-cnn': {
    'as it is': [],
    'no warm-up': ['--warmup-epochs', '0'],
  },
  'cifar10-resnet': {
    'as it is': [],
    'half the learning rate': ['--learning-rate', '0.1'],
    'Adam, 0.003': ['--optimiser', 'adam', '--learning-rate', '0.003'],
    'no label smoothing': ['--label-smoothing', '0'],
    'no cutout': ['--cutout-size', '0'],
  },
};

const rows: Row[] = [];
for (const [recipe, variants] of Object.entries(changes))
  for (const [name, changed] of Object.entries(variants))
    if (name.includes(flags.only)) rows.push(measure(recipe, name, changed));
const out = flags.out ?? (flags.only === '' ? 'docs/results/cifar10/short-runs.md' : undefined);
if (out) writeFileSync(out, describe(rows));
else process.stdout.write(describe(rows));

function measure(recipe: string, name: string, changed: string[]): Row {
  const run = path.join('runs', 'short', `${recipe}-${name.replaceAll(/\W+/g, '-')}`);
  if (!existsSync(path.join(run, 'float32.onnx'))) train(recipe, run, changed);
  const history = JSON.parse(readFileSync(path.join(run, 'history.json'), 'utf8')) as EpochRecord[];
  const last = history.at(-1);
  if (!last) throw new Error(`${run}/history.json holds no epoch`);
  return { recipe, name, changed, last };
}

function train(recipe: string, run: string, changed: readonly string[]): void {
  const wanted = ['--epochs', flags.epochs, '--validation-split', flags['validation-split'], ...changed];
  const begun = existsSync(path.join(run, 'checkpoint.safetensors'));
  const args = [
    'train',
    recipe,
    '--run',
    run,
    ...(begun ? ['--resume'] : [...wanted, '--no-early-stopping']),
  ];
  console.log(`npx quati ${args.join(' ')}`);
  const { status } = spawnSync(process.execPath, ['dist/cli/main.js', ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}

function row({ recipe, name, changed, last }: Row): string {
  const { loss, valLoss, valAccuracy } = last;
  if (valLoss === undefined || valAccuracy === undefined)
    throw new Error(`${recipe}, ${name}: there is no validation split`);
  const flags = changed.length > 0 ? `\`${changed.join(' ')}\`` : '';
  const figures = [loss.toFixed(3), valLoss.toFixed(3), percent(valAccuracy)];
  return `| ${[recipe, name, flags, ...figures].join(' | ')} |`;
}

function describe(measured: readonly Row[]): string {
  const part = percent(1 - Number(flags['validation-split']));
  return `# Short runs of CIFAR-10's recipes

Each run trains for ${flags.epochs} epochs on ${part} of the training images and is measured on the others. Its schedule is as short as the run, so it
shows only how well training starts. Cutout and label smoothing act against overfitting, which hardly happens in so few epochs.
The losses without label smoothing have other targets: compare only the accuracy of that run.
Made by \`npm run short-runs\`.

| recipe | changed | flags | training loss | validation loss | validation accuracy |
| --- | --- | --- | ---: | ---: | ---: |
${measured.map(row).join('\n')}
`;
}
