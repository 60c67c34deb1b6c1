// quati sweep: sign gradients, orders and activation precisions, each with several seeds → one table.
import path from 'node:path';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { blockOrders, precisions } from '../toolkit/architectures/binarisation.js';
import { signGradients } from '../toolkit/autodiff/sign-gradients.js';
import { RecipeError } from '../toolkit/errors.js';
import { type Grid, runName, runsOf, type SweepRun } from '../toolkit/sweep/grid.js';
import type { SweepResult } from '../toolkit/sweep/record.js';
import { writeSweepResults } from '../toolkit/sweep/results.js';
import { sweepTable } from '../toolkit/sweep/summary.js';
import { type Swept, sweep } from '../toolkit/sweep/sweep.js';
import { binarisedRecipes, findRecipe } from '../toolkit/training/recipe/bundled/index.js';
import { resolveRecipe } from '../toolkit/training/recipe/resolve.js';
import { runsFolder } from '../toolkit/training/run/run-folder.js';
import { commandLine, positiveInteger, toolVersion } from './command-line.js';
import { WrongUseError } from './errors.js';
import type { CliIo } from './io.js';
import { createProgress } from './progress.js';

export interface SweepFlags {
  signGradients: Grid['signGradients'];
  blockOrders: Grid['blockOrders'];
  activations: Grid['activations'];
  seeds: Grid['seeds'];
  epochs: number;
  data?: string;
  run?: string;
  out?: string;
  force?: boolean;
  threads?: number;
  portable?: boolean;
  json?: boolean;
}

export function sweepCommand(io: CliIo): Command {
  return new Command('sweep')
    .description('train a binarised network in every way, and report the test accuracy of each')
    .addArgument(new Argument('<recipe>', 'the recipe').choices(binarisedRecipes))
    .addOption(listOf('--sign-gradients <list>', signGradients))
    .addOption(listOf('--block-orders <list>', blockOrders))
    .addOption(listOf('--activations <list>', precisions))
    .option('--seeds <list>', 'one run per seed', seeds, [1, 2, 3])
    .option('--epochs <n>', 'the epochs of each run', positiveInteger, 10)
    .option('--data <folder>', 'the dataset (default: data/<dataset of the recipe>)')
    .option('--run <folder>', `the folder for the runs (default: ${runsFolder}/sweep-<recipe>)`)
    .option('--out <folder>', 'the folder for table and plot (default: the folder of the runs)')
    .option('--force', 'delete an existing sweep and start again')
    .option('--threads <n>', 'threads inside an operator (default: one per core)', positiveInteger)
    .option('--portable', 'use standard ONNX operators only')
    .option('--json', 'print all results as JSON')
    .addHelpText('after', examples)
    .action((name: string, flags: SweepFlags) => runSweep(name, flags, io));
}

const examples = `
The same command continues a stopped sweep. Table and plot are written after every run.

Examples:
  $ quati sweep lenet5-binary                       60 runs
  $ nohup nice quati sweep lenet5-binary --threads 1 > sweep.log &
  $ quati sweep lenet5-binary --sign-gradients clipped,swish --activations binary --seeds 1
  $ quati sweep lenet5-binary --out docs/results/mnist-binary`;

export async function runSweep(name: string, flags: SweepFlags, io: CliIo): Promise<void> {
  const recipe = resolve(name, flags);
  const folder = flags.run ?? path.join(runsFolder, `sweep-${name}`);
  const runs = runsOf(flags).length;
  const out = flags.out ?? folder;
  const display = createDisplay(io, runs);
  try {
    const swept = await sweep({
      recipe,
      grid: flags,
      folder,
      datasetFolder: flags.data ?? path.join('data', recipe.dataset),
      command: commandLine(),
      tool: toolVersion(),
      signal: io.onInterrupt(),
      onRun: display.run,
      onStep: ({ epoch }) => display.epoch(epoch, recipe.epochs),
      async onResult(result, record) {
        display.result(result);
        await writeSweepResults(record, runs, commandLine(), out);
      },
      ...(flags.force && { replace: true }),
      ...(flags.threads !== undefined && { threads: flags.threads }),
      ...(flags.portable && { portable: true }),
    });
    if (swept.record.results.length > 0) await writeSweepResults(swept.record, runs, commandLine(), out);
    display.stop();
    io.stdout.write(flags.json ? `${JSON.stringify(swept, null, 2)}\n` : sentence(swept, runs, out));
  } finally {
    display.stop();
  }
}

/** Ten epochs are too few to learn from shifted images, and every run must have the same length. */
function resolve(name: string, { epochs }: SweepFlags) {
  try {
    const { augmentation: _, earlyStopping: __, ...recipe } = findRecipe(name);
    return resolveRecipe(recipe, { epochs });
  } catch (cause) {
    if (cause instanceof RecipeError) throw new WrongUseError(cause.message, { cause });
    throw cause;
  }
}

function createDisplay(io: CliIo, runs: number) {
  const progress = createProgress(io.stderr, { title: 'runs', total: runs, inPipe: 'nothing' });
  let [done, current] = [0, ''];
  return {
    stop: progress.stop,
    run(run: SweepRun, before: number) {
      [done, current] = [before, runName(run)];
      progress.update(done, current);
    },
    epoch(epoch: number, epochs: number) {
      progress.update(done, `${current} epoch ${epoch}/${epochs}`);
    },
    result(result: SweepResult) {
      progress.above(() => io.stderr.write(`${resultLine(result)}\n`));
    },
  };
}

function resultLine(result: SweepResult): string {
  return `${runName(result)} accuracy ${(100 * result.accuracy).toFixed(2)} %, ${result.seconds} s`;
}

function sentence({ record, finished }: Swept, runs: number, out: string): string {
  const what = finished
    ? `${runs} runs`
    : `stopped after ${record.results.length} of ${runs} runs; the same command continues it`;
  return `${sweepTable(record)}\n\n${what}; ${out}/ holds the table, sweep.md, and its plot, sweep.png\n`;
}

function listOf<T extends string>(flags: string, known: readonly T[]): Option {
  const all = known.join(',');
  return new Option(flags, `some of ${all}`).default(known, 'all').argParser((text) =>
    text.split(',').map((name) => {
      const found = known.find((value) => value === name);
      if (found === undefined) throw new InvalidArgumentError(`expected some of ${all}, got ${name}`);
      return found;
    }),
  );
}

function seeds(text: string): number[] {
  return text.split(',').map((part) => {
    const seed = Number(part);
    if (part.trim() === '' || !Number.isInteger(seed))
      throw new InvalidArgumentError('expected whole numbers, such as 1,2,3');
    return seed;
  });
}
