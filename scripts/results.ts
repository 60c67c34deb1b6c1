// Trained runs → their variants, docs/results, published models with samples, and the README's table, with figures of this machine.
//
//   npm run results -- mnist                 quantises, measures, reports, publishes
//   npm run results -- cifar10 --measure     does not quantise again
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';

interface Room {
  runs: string[];
  /** Additional arguments of `quati evaluate`. */
  evaluate: string[];
  /** Model → the run to publish under its name. */
  publish: Record<string, string>;
  /** The recipes with a drawing of their augmentation. */
  augmented: string[];
}

const rooms: Record<string, Room> = {
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
const usage = `usage: npm run results -- <${Object.keys(rooms).join(' | ')}> [--measure]`;

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { measure: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
});
const [name = ''] = positionals;
const room = rooms[name];
if (flags.help) console.log(usage);
else if (room) publishResults(name, room);
else {
  console.error(usage);
  process.exitCode = 2;
}

function publishResults(name: string, { runs, evaluate, publish, augmented }: Room): void {
  const trained = runs.filter((run) => existsSync(`runs/${run}/run.json`));
  const folders = trained.map((run) => `runs/${run}`);
  for (const run of runs)
    if (!trained.includes(run))
      console.error(`runs/${run} does not exist and is skipped: run npx quati train ${run}`);
  if (trained.length === 0) process.exit(1);
  if (!flags.measure) for (const folder of folders) quati('quantise', folder);
  quati('evaluate', ...folders, ...evaluate, '--out', 'docs/results');
  quati('report', ...folders);
  for (const recipe of augmented)
    if (trained.includes(recipe))
      quati('augment', recipe, '--out', `docs/results/${name}/${recipe}/augmented.png`);
  for (const [model, run] of Object.entries(publish))
    if (trained.includes(run))
      quati('publish', `runs/${run}`, '--as', model, '--model-version', '1', '--replace');
  run(...process.execArgv, 'scripts/readme-models.ts');
}

function quati(...args: string[]): void {
  console.log(`npx quati ${args.join(' ')}`);
  run('dist/cli/main.js', ...args);
}

/** Runs Node. If it fails, exits with its exit code. */
function run(...args: string[]): void {
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
