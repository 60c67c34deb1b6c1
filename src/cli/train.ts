// quati train: a recipe → a run's folder with weights, history and float32.onnx.
import path from 'node:path';
import { Argument, Command } from 'commander';
import type { BadImage } from '../toolkit/datasets/dataset.js';
import { RecipeError } from '../toolkit/errors.js';
import type { Graph } from '../toolkit/graph/graph.js';
import { findRecipe, recipes } from '../toolkit/training/recipe/bundled/index.js';
import { flagOf, overrideNames, type RecipeOverrides } from '../toolkit/training/recipe/overrides.js';
import type { Recipe } from '../toolkit/training/recipe/recipe.js';
import { resolveRecipe } from '../toolkit/training/recipe/resolve.js';
import type { StepProgress } from '../toolkit/training/run/epochs.js';
import type { EpochRecord } from '../toolkit/training/run/history.js';
import { readRun, runsFolder } from '../toolkit/training/run/run-folder.js';
import { type TrainOptions, type TrainResult, train } from '../toolkit/training/run/train.js';
import { commandLine, quoted, toolVersion } from './command-line.js';
import { WrongUseError } from './errors.js';
import type { CliIo } from './io.js';
import { createProgress } from './progress.js';
import { backboneName, checkBackboneFlags, recipeOnBackbone } from './train-backbone.js';
import { addTrainFlags, overridesOf, type TrainFlags } from './train-flags.js';

type Overrides = Pick<TrainOptions, 'startThread'>;

/** @param overrides for tests, which do without the thread. */
export function trainCommand(io: CliIo, overrides: Overrides = {}): Command {
  const command = new Command('train')
    .description('train a network by a recipe or on a pretrained backbone, and export it as float32.onnx')
    .addArgument(
      new Argument('[recipe]', 'the recipe; absent with --backbone').choices(recipes.map(({ name }) => name)),
    );
  return addTrainFlags(command)
    .addHelpText('after', examples)
    .action((name: string | undefined, flags: TrainFlags) => runTrain(name, flags, io, overrides));
}

const examples = `
Examples:
  $ quati train mnist-cnn
  $ quati train mnist-cnn --epochs 10 --run runs/longer
  $ quati train mnist-cnn --resume                  continues after Ctrl-C, to the same weights
  $ quati train mnist-cnn --epochs 30 --patience 4 --monitor valAccuracy
  $ quati train mnist-cnn --optimiser sgd --learning-rate 0.1 --schedule one-cycle --weight-decay 5e-4
  $ quati train mnist-cnn --schedule step --milestones 3,4 --label-smoothing 0.1 --clip-norm 1
  $ quati train mnist-cnn --rotation 10 --shift 0.1
  $ quati train mnist-cnn --data photos/            photos/<category>/*, or photos/{train,val,test}/<category>/*
  $ quati train --backbone mobilenet_v1_0.75_224.onnx --data photos/ --fine-tune none
  $ quati train --backbone resnet18.onnx --data photos/ --fine-tune 6 --epochs 8 --loss sigmoid`;

/** The options of training that flags change. */
function flagOptions(flags: TrainFlags): Partial<TrainOptions> {
  return {
    ...(flags.resume && { existing: 'resume' as const }),
    ...(flags.force && { existing: 'replace' as const }),
    ...(flags.threads !== undefined && { threads: flags.threads }),
    ...(flags.portable && { portable: true }),
    ...(flags.dataThreads !== undefined && { dataThreads: flags.dataThreads }),
    ...(flags.skipBad && { skipBad: true }),
    ...(flags.maxSteps !== undefined && { maxSteps: flags.maxSteps }),
  };
}

async function runTrain(
  name: string | undefined,
  flags: TrainFlags,
  io: CliIo,
  overrides: Overrides,
): Promise<void> {
  if (flags.resume && flags.force) throw new WrongUseError('--resume cannot be combined with --force');
  checkBackboneFlags(flags, flags.resume ?? false);
  const folder =
    flags.resume && flags.run ? flags.run : (flags.run ?? path.join(runsFolder, defaultRun(name, flags)));
  const job = flags.resume ? await toResume(name, flags, folder) : await toStart(name, flags, io);
  const { recipe, data, backbone } = job;
  const { stop, ...listeners } = createDisplay(io, recipe);
  try {
    const result = await train({
      ...overrides,
      recipe,
      datasetFolder: flags.data ?? data,
      runFolder: folder,
      command: commandLine(),
      tool: toolVersion(),
      signal: io.onInterrupt(),
      ...listeners,
      ...(backbone && { backbone }),
      ...flagOptions(flags),
    });
    stop();
    io.stdout.write(
      flags.json
        ? `${JSON.stringify({ run: folder, ...result }, null, 2)}\n`
        : sentence(result, folder, recipe),
    );
  } finally {
    stop();
  }
}

/** The recipe's name; with a backbone, the name of the image folder. */
function defaultRun(name: string | undefined, { backbone, data }: TrainFlags): string {
  if (name !== undefined && backbone !== undefined)
    throw new WrongUseError(`the recipe ${name} cannot be combined with --backbone: it has its own network`);
  if (name !== undefined) return name;
  if (backbone === undefined)
    throw new WrongUseError(
      'missing: a recipe, or --backbone <model.onnx> --data <folder>; --resume takes --run <folder> as well',
    );
  if (data === undefined) throw new WrongUseError('--backbone needs --data <folder>: the images to train on');
  return path.basename(path.resolve(data));
}

interface Job {
  readonly recipe: Recipe;
  /** The default path of its dataset. */
  readonly data: string;
  readonly backbone?: Graph;
}

async function toStart(name: string | undefined, flags: TrainFlags, io: CliIo): Promise<Job> {
  const { backbone: file, data } = flags;
  if (file === undefined || data === undefined) {
    const recipe = withOverrides(findRecipe(name ?? ''), overridesOf(flags));
    return { recipe, data: path.join('data', recipe.dataset) };
  }
  const { recipe, graph } = await recipeOnBackbone(file, path.basename(path.resolve(data)), flags, io);
  return { recipe: withOverrides(recipe, overridesOf(flags)), data, backbone: graph };
}

/** A resumed run keeps its recipe; only the number of epochs can change. */
async function toResume(name: string | undefined, flags: TrainFlags, folder: string): Promise<Job> {
  const { epochs, ...others } = overridesOf(flags);
  const [other] = overrideNames.filter((known) => others[known as keyof typeof others] !== undefined);
  if (other !== undefined) {
    throw new WrongUseError(`${flagOf(other)} cannot change in a resumed run; --force starts a new one`);
  }
  const { recipe, dataset } = await readRun(folder);
  const asked = name ?? (flags.backbone === undefined ? recipe.name : backboneName(flags.backbone));
  if (recipe.name !== asked) {
    throw new WrongUseError(`${folder} holds a run of ${recipe.name}, not of ${asked}`);
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
  const epochs = epochsOf(recipe);
  let progress: ReturnType<typeof createProgress> | undefined;
  let epoch = 0;
  const stop = () => {
    progress?.stop();
    progress = undefined;
  };
  const counted = (title: string) => (done: number, of: number) => {
    progress ??= createProgress(io.stderr, { title, total: of, eta: true, inPipe: 'nothing' });
    progress.update(done);
    if (done === of) stop();
  };
  return {
    stop,
    onDecoded: counted('decode images'),
    onFeatures: counted('compute features'),
    onSkipped(bad: readonly BadImage[]) {
      stop();
      for (const { file, reason } of bad) io.stderr.write(`skipped ${file}: ${reason}\n`);
    },
    onNotes(lines: readonly string[]) {
      for (const line of lines) io.stderr.write(`${line}\n`);
    },
    onStep(now: StepProgress) {
      if (now.epoch !== epoch) {
        stop();
        epoch = now.epoch;
        const title = `epoch ${now.epoch}/${epochs}`;
        progress = createProgress(io.stderr, { title, total: now.batches, eta: true, inPipe: 'nothing' });
      }
      progress?.update(
        now.batch,
        `loss ${now.loss.toFixed(4)} accuracy ${percent(now.accuracy)} ${Math.round(now.imagesPerSecond)} images/s`,
      );
    },
    onEpoch(record: EpochRecord) {
      stop();
      io.stderr.write(`${epochLine(record, epochs)}\n`);
    },
  };
}

/** The epochs of both phases, if a backbone is fine-tuned after its head. */
function epochsOf({ backbone, epochs }: Recipe): number {
  if (backbone === undefined) return epochs;
  return backbone.head.epochs + (backbone.fineTune > 0 ? epochs : 0);
}

function epochLine(record: EpochRecord, epochs: number): string {
  const { valLoss, valAccuracy, valPrecision, valRecall, phase } = record;
  const validation =
    valLoss === undefined || valAccuracy === undefined
      ? ''
      : ` - validation loss ${valLoss.toFixed(4)} accuracy ${percent(valAccuracy)}`;
  const twoLabels =
    valPrecision === undefined || valRecall === undefined
      ? ''
      : ` precision ${percent(valPrecision)} recall ${percent(valRecall)}`;
  return (
    `${phase === undefined ? '' : `${phase} `}epoch ${record.epoch}/${epochs} loss ${record.loss.toFixed(4)} ` +
    `accuracy ${percent(record.accuracy)}${validation}${twoLabels} - ${record.imagesPerSecond} images/s, ${record.seconds.toFixed(0)} s`
  );
}

function sentence(result: TrainResult, folder: string, recipe: Recipe): string {
  const { finished, steps, parameters, loss, history } = result;
  const epochs = epochsOf(recipe);
  const fell = loss ? `, loss ${loss.first.toFixed(4)} → ${loss.last.toFixed(4)}` : '';
  const early = finished && history.length < epochs ? ` after ${history.length} of ${epochs} epochs` : '';
  const what =
    `${parameters} parameters, ${steps} steps${fell}; ` +
    `${folder}/ holds float32.onnx${bestOf(result)}, checkpoint and history`;
  return finished
    ? `trained${early}: ${what}\nNext: quati quantise ${quoted(folder)}\n`
    : `stopped: ${what}\nquati train … --resume continues from here\n`;
}

function bestOf({ best }: TrainResult): string {
  return best === undefined ? '' : ` of epoch ${best.epoch}, the best`;
}

function percent(part: number): string {
  return `${(part * 100).toFixed(2)} %`;
}
