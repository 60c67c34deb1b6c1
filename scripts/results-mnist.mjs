// The trained digit runs → their variants, docs/results/mnist, models/mnist/1 and the README's table, figures of this machine.
//
//   npm run results:mnist                 quantises, measures, reports, publishes
//   npm run results:mnist -- --measure    leaves the variants as they are
import { spawnSync } from 'node:child_process';

const recipes = ['mnist-simple', 'mnist-deeper', 'mnist-dropout', 'mnist-cnn'];
const published = 'mnist-deeper';
const runs = recipes.map((recipe) => `runs/${recipe}`);

function quati(...args) {
  console.log(`npx quati ${args.join(' ')}`);
  const { status } = spawnSync(process.execPath, ['dist/cli/main.js', ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

if (!process.argv.includes('--measure')) for (const run of runs) quati('quantise', run);
quati('evaluate', ...runs, '--reinked', '2000', '--out', 'docs/results');
quati('report', ...runs);
quati('publish', `runs/${published}`, '--as', 'mnist', '--model-version', '1', '--replace');
spawnSync(process.execPath, ['scripts/readme-models.mjs'], { stdio: 'inherit' });
