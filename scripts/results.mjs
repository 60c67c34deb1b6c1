// Trained runs → their variants, docs/results, published models with samples, the README's table: figures of this machine.
//
//   npm run results -- mnist                 quantises, measures, reports, publishes
//   npm run results -- cifar10 --measure     leaves the variants as they are
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const rooms = {
  mnist: {
    runs: ['mnist-simple', 'mnist-deeper', 'mnist-dropout', 'mnist-cnn'],
    evaluate: ['--reinked', '2000'],
    publish: { mnist: 'mnist-deeper' },
    augmented: ['mnist-deeper'],
  },
  cifar10: {
    runs: ['cifar10-cnn', 'cifar10-resnet'],
    evaluate: [],
    publish: { cifar10: 'cifar10-resnet', 'cifar10-cnn': 'cifar10-cnn' },
    augmented: ['cifar10-cnn', 'cifar10-resnet'],
  },
};

const [name] = process.argv.slice(2);
const room = rooms[name];
if (!room) {
  console.error(`usage: npm run results -- <${Object.keys(rooms).join(' | ')}> [--measure]`);
  process.exit(2);
}
const trained = room.runs.filter((run) => existsSync(`runs/${run}/run.json`));
const folders = trained.map((run) => `runs/${run}`);
for (const run of room.runs)
  if (!isTrained(run)) console.error(`runs/${run} is not there and is left out: npx quati train ${run}`);
if (trained.length === 0) process.exit(1);
if (!process.argv.includes('--measure')) for (const folder of folders) quati('quantise', folder);
quati('evaluate', ...folders, ...room.evaluate, '--out', 'docs/results');
quati('report', ...folders);
for (const recipe of room.augmented.filter(isTrained))
  quati('augment', recipe, '--out', `docs/results/${name}/${recipe}/augmented.png`);
for (const [model, run] of Object.entries(room.publish))
  if (isTrained(run)) quati('publish', `runs/${run}`, '--as', model, '--model-version', '1', '--replace');
run('scripts/readme-models.mjs');

function isTrained(run) {
  return trained.includes(run);
}

function quati(...args) {
  console.log(`npx quati ${args.join(' ')}`);
  run('dist/cli/main.js', ...args);
}

function run(...args) {
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
