// CIFAR-10's recipes, changed in one thing each, for a few epochs on a part of the images → docs/results/cifar10/short-runs.md.
//
//   npm run short-runs                        what was trained already is kept
//   --epochs 3 --validation-split 0.7         15,000 images to train on, 35,000 to judge by
//   --only warm-up                            those whose name has this in it
//   --out <file>                             default: that file, or with --only standard output
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

const { values: flags } = parseArgs({
  options: {
    epochs: { type: 'string', default: '3' },
    'validation-split': { type: 'string', default: '0.7' },
    only: { type: 'string', default: '' },
    out: { type: 'string' },
  },
});

/** Recipe → what is changed → by which flags. */
const changes = {
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

const rows = [];
for (const [recipe, variants] of Object.entries(changes))
  for (const [name, changed] of Object.entries(variants))
    if (name.includes(flags.only)) rows.push(measure(recipe, name, changed));
const out = flags.out ?? (flags.only === '' ? 'docs/results/cifar10/short-runs.md' : undefined);
if (out) writeFileSync(out, describe(rows));
else process.stdout.write(describe(rows));

function measure(recipe, name, changed) {
  const run = path.join('runs', 'short', `${recipe}-${name.replaceAll(/\W+/g, '-')}`);
  const args = ['train', recipe, '--run', run, '--epochs', flags.epochs];
  args.push('--validation-split', flags['validation-split'], '--no-early-stopping', ...changed);
  if (!existsSync(path.join(run, 'float32.onnx'))) train(args, run);
  const history = JSON.parse(readFileSync(path.join(run, 'history.json'), 'utf8'));
  return { recipe, name, changed, last: history.at(-1) };
}

function train(args, run) {
  const begun = existsSync(path.join(run, 'checkpoint.safetensors'));
  const all = begun ? ['train', args[1], '--run', run, '--resume'] : args;
  console.log(`npx quati ${all.join(' ')}`);
  const { status } = spawnSync(process.execPath, ['dist/cli/main.js', ...all], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

function percent(value) {
  return `${(100 * value).toFixed(1)} %`;
}

function row({ recipe, name, changed, last }) {
  const flags = changed.length > 0 ? `\`${changed.join(' ')}\`` : '';
  const figures = [last.loss.toFixed(3), last.valLoss.toFixed(3), percent(last.valAccuracy)];
  return `| ${[recipe, name, flags, ...figures].join(' | ')} |`;
}

function describe(measured) {
  return `# Short runs of CIFAR-10's recipes

After ${flags.epochs} epochs on ${percent(1 - flags['validation-split'])} of the training images, the others to judge by; the schedule is as short as the run. Such a run tells what
starts well. What keeps a network from learning its images by heart (cutout, label smoothing) can only cost here: it pays in the whole run. The losses of
a run without label smoothing are of other targets: compare its accuracy alone.
Made by \`npm run short-runs\`.

| recipe | changed | flags | training loss | validation loss | validation accuracy |
| --- | --- | --- | ---: | ---: | ---: |
${measured.map(row).join('\n')}
`;
}
