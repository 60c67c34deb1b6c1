// quati train: a recipe to a run's folder with weights, history and float32.onnx.
import path from 'node:path';
import { Argument, Command } from 'commander';
import type { BadImage } from '../toolkit/datasets/decode-folder.js';
import { RecipeError } from '../toolkit/training/errors.js';
import type { EpochRecord } from '../toolkit/training/history.js';
import { type Recipe, type RecipeOverrides, resolveRecipe } from '../toolkit/training/recipe.js';
import { overrideNames } from '../toolkit/training/recipe-overrides.js';
import { findRecipe, recipes } from '../toolkit/training/recipes/index.js';
import { readRun, runsFolder } from '../toolkit/training/run.js';
import { type TrainResult, train } from '../toolkit/training/train.js';
import type { StepProgress } from '../toolkit/training/training-loop.js';
import { commandLine, toolVersion } from './command-line.js';
import { WrongUseError } from './errors.js';
import type { CliIo } from './io.js';
import { createProgress } from './progress.js';
import { addTrainFlags, flagOf, overridesOf, type TrainFlags } from './train-flags.js';

export function trainCommand(io: CliIo): Command {
  const command = new Command('train')
    .description('train a network by a recipe, and export it as float32.onnx')
    .addArgument(new Argument('<recipe>', 'which recipe').choices(recipes.map(({ name }) => name)));
  return addTrainFlags(command)
    .addHelpText('after', examples)
    .action((name: string, flags: TrainFlags) => runTrain(name, flags, io));
}

const examples = `
Examples:
  $ quati train mnist-cnn
  $ quati train mnist-cnn --epochs 10 --run runs/longer
  $ quati train mnist-cnn --resume                  goes on after Ctrl-C, to the same weights
  $ quati train mnist-cnn --epochs 30 --patience 4 --monitor valAccuracy
  $ quati train mnist-cnn --optimiser sgd --learning-rate 0.1 --schedule one-cycle --weight-decay 5e-4
  $ quati train mnist-cnn --schedule step --milestones 3,4 --label-smoothing 0.1 --clip-norm 1
  $ quati train mnist-cnn --rotation 10 --shift 0.1
  $ quati train mnist-cnn --data photos/            photos/<category>/*, or photos/{train,val,test}/<category>/*`;

export async function runTrain(name: string, flags: TrainFlags, io: CliIo): Promise<void> {
  if (flags.resume && flags.force) throw new WrongUseError('--resume and --force contradict each other');
  const folder = flags.run ?? path.join(runsFolder, name);
  const { recipe, data } = flags.resume ? await toResume(name, flags, folder) : toStart(name, flags);
  const display = createDisplay(io, recipe);
  try {
    const result = await train({
      recipe,
      datasetFolder: flags.data ?? data,
      runFolder: folder,
      command: commandLine(),
      tool: toolVersion(),
      signal: io.onInterrupt(),
      onDecoded: display.decoded,
      onSkipped: display.skipped,
      onStep: display.step,
      onEpoch: display.epoch,
      ...(flags.resume && { existing: 'resume' as const }),
      ...(flags.force && { existing: 'replace' as const }),
      ...(flags.threads !== undefined && { threads: flags.threads }),
      ...(flags.portable && { portable: true }),
      ...(flags.dataThreads !== undefined && { dataThreads: flags.dataThreads }),
      ...(flags.skipBad && { skipBad: true }),
      ...(flags.maxSteps !== undefined && { maxSteps: flags.maxSteps }),
    });
    display.stop();
    io.stdout.write(
      flags.json
        ? `${JSON.stringify({ run: folder, ...result }, null, 2)}\n`
        : sentence(result, folder, recipe),
    );
  } finally {
    display.stop();
  }
}

interface Job {
  readonly recipe: Recipe;
  /** Where its dataset is, unless the command says otherwise. */
  readonly data: string;
}

function toStart(name: string, flags: TrainFlags): Job {
  const recipe = withOverrides(findRecipe(name), overridesOf(flags));
  return { recipe, data: path.join('data', recipe.dataset) };
}

/** Of the recipe that the run began with, only the number of epochs can change. */
async function toResume(name: string, flags: TrainFlags, folder: string): Promise<Job> {
  const { epochs, ...others } = overridesOf(flags);
  const [other] = overrideNames.filter((known) => others[known as keyof typeof others] !== undefined);
  if (other !== undefined) {
    throw new WrongUseError(`${flagOf(other)} cannot change in a run that is resumed; --force starts anew`);
  }
  const { recipe, dataset } = await readRun(folder);
  if (recipe.name !== name) {
    throw new WrongUseError(`${folder} holds a run of ${recipe.name}, not of ${name}`);
  }
  return { recipe: withOverrides(recipe, epochs === undefined ? {} : { epochs }), data: dataset.folder };
}

function withOverrides(recipe: Recipe, overrides: RecipeOverrides): Recipe {
  try {
    return resolveRecipe(recipe, overrides);
  } catch (cause) {
    if (cause instanceof RecipeError) throw new WrongUseError(cause.message, { cause });
    throw cause;
  }
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
    decoded(files: number, of: number) {
      progress ??= createProgress(io.stderr, {
        title: 'decode images',
        total: of,
        eta: true,
        inPipe: 'nothing',
      });
      progress.update(files);
    },
    skipped(bad: readonly BadImage[]) {
      stop();
      for (const { file, reason } of bad) io.stderr.write(`left out ${file}: ${reason}\n`);
    },
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

function sentence(result: TrainResult, folder: string, { epochs }: Recipe): string {
  const { finished, steps, parameters, loss, history } = result;
  const fell = loss ? `, loss ${loss.first.toFixed(4)} → ${loss.last.toFixed(4)}` : '';
  const early = finished && history.length < epochs ? ` after ${history.length} of ${epochs} epochs` : '';
  const what =
    `${parameters} parameters, ${steps} steps${fell}; ` +
    `${folder}/ holds float32.onnx${bestOf(result)}, checkpoint and history`;
  return finished
    ? `trained${early}: ${what}\nNext: quati quantise ${folder}\n`
    : `stopped: ${what}\nquati train … --resume goes on from here\n`;
}

function bestOf({ best }: TrainResult): string {
  return best === undefined ? '' : ` of epoch ${best.epoch}, the best`;
}

function percent(part: number): string {
  return `${(part * 100).toFixed(2)} %`;
}
