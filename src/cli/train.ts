// quati train: a recipe to a run's folder with weights, history and float32.onnx.
import path from 'node:path';
import { Argument, Command } from 'commander';
import type { EpochRecord } from '../toolkit/training/history.js';
import { type Recipe, type RecipeOverrides, resolveRecipe } from '../toolkit/training/recipe.js';
import { findRecipe, recipes } from '../toolkit/training/recipes/index.js';
import { runsFolder } from '../toolkit/training/run.js';
import { type TrainResult, train } from '../toolkit/training/train.js';
import type { StepProgress } from '../toolkit/training/training-loop.js';
import { commandLine, positiveInteger, toolVersion } from './command-line.js';
import { WrongUseError } from './errors.js';
import type { CliIo } from './io.js';
import { createProgress } from './progress.js';

export interface TrainFlags extends RecipeOverrides {
  data?: string;
  run?: string;
  resume?: boolean;
  force?: boolean;
  threads?: number;
  maxSteps?: number;
  json?: boolean;
}

export function trainCommand(io: CliIo): Command {
  return new Command('train')
    .description('train a network by a recipe, and export it as float32.onnx')
    .addArgument(new Argument('<recipe>', 'which recipe').choices(recipes.map(({ name }) => name)))
    .option('--data <folder>', 'the prepared dataset (default: data/<dataset of the recipe>)')
    .option('--run <folder>', `where the run is kept (default: ${runsFolder}/<recipe>)`)
    .option('--resume', 'go on from the checkpoint of the run')
    .option('--force', 'start anew where a run is kept already')
    .option('--epochs <n>', 'passes over the training images', Number)
    .option('--batch-size <n>', 'images a step', Number)
    .option('--learning-rate <x>', 'of the optimiser', Number)
    .option('--validation-split <x>', 'part of the images held back to validate on, 0…1', Number)
    .option('--seed <n>', 'of weights, split and order', Number)
    .option('--threads <n>', 'threads inside an operator (default: one a core)', positiveInteger)
    .option('--max-steps <n>', 'stop after so many steps in all', positiveInteger)
    .option('--json', 'print the history and the result as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ quati train mnist-cnn\n  $ quati train mnist-cnn --epochs 10 --run runs/longer\n  $ quati train mnist-cnn --resume',
    )
    .action((name: string, flags: TrainFlags) => runTrain(name, flags, io));
}

export async function runTrain(name: string, flags: TrainFlags, io: CliIo): Promise<void> {
  if (flags.resume && flags.force) throw new WrongUseError('--resume and --force contradict each other');
  const recipe = resolveRecipe(findRecipe(name), overridesOf(flags));
  const folder = flags.run ?? path.join(runsFolder, recipe.name);
  const display = createDisplay(io, recipe);
  try {
    const result = await train({
      recipe,
      datasetFolder: flags.data ?? path.join('data', recipe.dataset),
      runFolder: folder,
      command: commandLine(),
      tool: toolVersion(),
      signal: io.onInterrupt(),
      onStep: display.step,
      onEpoch: display.epoch,
      ...(flags.resume && { existing: 'resume' as const }),
      ...(flags.force && { existing: 'replace' as const }),
      ...(flags.threads !== undefined && { threads: flags.threads }),
      ...(flags.maxSteps !== undefined && { maxSteps: flags.maxSteps }),
    });
    display.stop();
    io.stdout.write(
      flags.json ? `${JSON.stringify({ run: folder, ...result }, null, 2)}\n` : sentence(result, folder),
    );
  } finally {
    display.stop();
  }
}

function overridesOf({
  epochs,
  batchSize,
  learningRate,
  validationSplit,
  seed,
}: TrainFlags): RecipeOverrides {
  const given = Object.entries({ epochs, batchSize, learningRate, validationSplit, seed });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

function createDisplay(io: CliIo, recipe: Recipe) {
  let progress: ReturnType<typeof createProgress> | undefined;
  let epoch = 0;
  const stop = () => {
    progress?.stop();
    progress = undefined;
  };
  return {
    stop,
    step(now: StepProgress) {
      if (now.epoch !== epoch) {
        stop();
        epoch = now.epoch;
        const title = `epoch ${now.epoch}/${recipe.epochs}`;
        progress = createProgress(io.stderr, { title, total: now.batches, eta: true, inPipe: 'nothing' });
      }
      progress?.update(
        now.batch,
        `loss ${now.loss.toFixed(4)} accuracy ${percent(now.accuracy)} ${Math.round(now.imagesPerSecond)} images/s`,
      );
    },
    epoch(record: EpochRecord) {
      stop();
      io.stderr.write(`${epochLine(record, recipe.epochs)}\n`);
    },
  };
}

function epochLine(record: EpochRecord, epochs: number): string {
  const validation =
    record.valLoss === undefined || record.valAccuracy === undefined
      ? ''
      : ` - validation loss ${record.valLoss.toFixed(4)} accuracy ${percent(record.valAccuracy)}`;
  return (
    `epoch ${record.epoch}/${epochs} loss ${record.loss.toFixed(4)} accuracy ${percent(record.accuracy)}` +
    `${validation} - ${record.imagesPerSecond} images/s, ${record.seconds.toFixed(0)} s`
  );
}

function sentence(result: TrainResult, folder: string): string {
  const { finished, steps, parameters, loss } = result;
  const fell = loss ? `, loss ${loss.first.toFixed(4)} → ${loss.last.toFixed(4)}` : '';
  const what =
    `${parameters} parameters, ${steps} steps${fell}; ` +
    `${folder}/ holds float32.onnx, checkpoint and history`;
  return finished
    ? `trained: ${what}\nNext: quati quantise ${folder}\n`
    : `stopped: ${what}\nquati train … --resume goes on from here\n`;
}

function percent(part: number): string {
  return `${(part * 100).toFixed(2)} %`;
}
