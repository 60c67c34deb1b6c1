// The flags of `quati train`, in the groups that its help shows; those of a recipe's values are called as the values are.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { blockOrders, precisions } from '../toolkit/architectures/lenet5.js';
import { signGradients } from '../toolkit/autodiff/sign-gradients.js';
import { overrideNames, type RecipeOverrides } from '../toolkit/training/recipe/overrides.js';
import { runsFolder } from '../toolkit/training/run/run-folder.js';
import { positiveInteger } from './command-line.js';
import { addBackboneFlags, type BackboneFlags } from './train-backbone.js';

export interface TrainFlags extends RecipeFlags, BackboneFlags {
  data?: string;
  run?: string;
  resume?: boolean;
  force?: boolean;
  threads?: number;
  portable?: boolean;
  dataThreads?: number;
  skipBad?: boolean;
  maxSteps?: number;
  json?: boolean;
}

/** Commander makes --no-early-stopping a value that is true when the flag is not given. */
type RecipeFlags = Omit<RecipeOverrides, 'earlyStopping'> & { readonly earlyStopping?: boolean };

export function addTrainFlags(command: Command): Command {
  addRunFlags(command.optionsGroup('Run:'));
  addBackboneFlags(command);
  addTrainingFlags(command.optionsGroup('Training (left out, a value is the recipe’s):'));
  addOptimiserFlags(command.optionsGroup('Optimiser:'));
  addScheduleFlags(command.optionsGroup('Schedule of the learning rate:'));
  addStoppingFlags(command.optionsGroup('Early stopping:'));
  addBinarisationFlags(command.optionsGroup('Binarisation (of lenet5-binary):'));
  addAugmentationFlags(command.optionsGroup('Augmentation of the training images, anew in each epoch:'));
  return command;
}

/** The flags that were given of those that are a recipe's values. */
export function overridesOf({ earlyStopping, ...flags }: TrainFlags): RecipeOverrides {
  const values: RecipeOverrides = { ...flags, ...(earlyStopping === false && { earlyStopping }) };
  const given = overrideNames.filter((name) => values[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, values[name]]));
}

/** `batchSize` → `--batch-size`. */
export function flagOf(name: keyof RecipeOverrides): string {
  const words = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return name === 'earlyStopping' ? `--no-${words}` : `--${words}`;
}

function addRunFlags(command: Command): void {
  command
    .option(
      '--data <folder>',
      'the dataset, or a folder of images by category (default: data/<dataset of the recipe>)',
    )
    .option(
      '--run <folder>',
      `where the run is kept (default: ${runsFolder}/<recipe>, or <data> on a backbone)`,
    )
    .option('--resume', 'go on from the checkpoint of the run, by the values it began with')
    .option('--force', 'start anew where a run is kept already')
    .option('--threads <n>', 'threads inside an operator (default: one a core)', positiveInteger)
    .option('--portable', 'use standard ONNX operators only, not the blocked ones of this ONNX Runtime')
    .option('--data-threads <n>', 'threads that augment images ahead of the steps (default: 1)', wholeNumber)
    .option('--skip-bad', 'leave out files of an image folder that are no images')
    .option('--max-steps <n>', 'stop after so many steps in all', positiveInteger)
    .option('--json', 'print the history and the result as JSON');
}

function addTrainingFlags(command: Command): void {
  command
    .option('--epochs <n>', 'passes over the training images', number)
    .option('--batch-size <n>', 'images a step', number)
    .option('--validation-split <x>', 'part of the images held back to validate on, 0…1', number)
    .option('--label-smoothing <x>', 'part of the target spread over all labels, 0…1', number)
    .option('--seed <n>', 'of weights, split, order and augmentation', number);
}

function addOptimiserFlags(command: Command): void {
  command
    .addOption(choice('--optimiser <kind>', 'another one starts from its own defaults', kinds.optimiser))
    .option('--learning-rate <x>', 'the highest of the schedule', number)
    .option('--momentum <x>', 'sgd: part of the velocity that is kept (default: 0.9)', number)
    .option('--nesterov', 'sgd: look a step ahead (default)')
    .option('--no-nesterov', 'sgd: plain momentum')
    .option('--beta1 <x>', 'adam, adamw: of the mean gradient (default: 0.9)', number)
    .option('--beta2 <x>', 'adam, adamw: of the mean square (default: 0.999)', number)
    .option('--epsilon <x>', 'adam, adamw: added to the root (default: 1e-8)', number)
    .option('--weight-decay <x>', 'sgd: L2 (default: 0); adamw: decoupled (default: 0.01)', number)
    .option('--clip-norm <x>', 'shorten a longer gradient to this', number);
}

function addScheduleFlags(command: Command): void {
  command
    .addOption(choice('--schedule <kind>', 'another one starts from its own defaults', kinds.schedule))
    .option('--milestones <epochs>', 'step: after which epochs the rate falls, as in 10,15', numbers)
    .option('--every <epochs>', 'step: in place of milestones', number)
    .option('--factor <x>', 'step: by what it falls (default: 0.1)', number)
    .option('--warmup-epochs <n>', 'cosine: rise evenly for so long first (default: 0)', number)
    .option('--rise <x>', 'one-cycle: part of the run that rises, 0…1 (default: 0.3)', number)
    .option('--start-divisor <x>', 'one-cycle: the rate starts smaller by this (default: 25)', number)
    .option('--end-divisor <x>', 'one-cycle: and ends smaller again by this (default: 1e4)', number);
}

function addStoppingFlags(command: Command): void {
  command
    .option('--patience <epochs>', 'stop after so many that were not better; export the best', number)
    .addOption(choice('--monitor <value>', 'what is better (default: valLoss)', kinds.monitor))
    .option('--min-delta <x>', 'better by at least this (default: 0)', number)
    .option('--restore-best', 'train all epochs, export the best')
    .option('--no-early-stopping', 'train all epochs, export the last');
}

function addBinarisationFlags(command: Command): void {
  command
    .addOption(choice('--sign-gradient <kind>', 'what stands for the gradient of the sign', signGradients))
    .addOption(choice('--block-order <order>', 'of batch normalisation and activation', blockOrders))
    .addOption(
      choice('--activations <precision>', 'binary: ±1; float32: ReLU, and weights alone are ±1', precisions),
    )
    .addOption(choice('--first-layer <precision>', 'of the weights that the image meets', precisions))
    .addOption(choice('--last-layer <precision>', 'of the weights that give the logits', precisions));
}

export function addAugmentationFlags(command: Command): void {
  command
    .option('--rotation <degrees>', 'turned by up to so many, either way', number)
    .option('--zoom <x>', 'larger or smaller by up to this part', number)
    .option('--shift <x>', 'moved by up to this part of width and height', number)
    .option('--flip', 'mirrored, left for right, every other time')
    .option('--no-flip', 'not mirrored')
    .option('--crop-padding <pixels>', 'padded, then cut to size again anywhere', number)
    .option('--cutout-size <pixels>', 'side of a square that is painted over', number)
    .option('--fill <value>', 'beyond the border: 0…255, or edge for its continuation', fill);
}

const kinds = {
  optimiser: ['sgd', 'adam', 'adamw'] satisfies RecipeOverrides['optimiser'][],
  schedule: ['constant', 'step', 'cosine', 'one-cycle'] satisfies RecipeOverrides['schedule'][],
  monitor: ['valLoss', 'valAccuracy'] satisfies RecipeOverrides['monitor'][],
};

function choice(flags: string, description: string, choices: readonly string[]): Option {
  return new Option(flags, description).choices(choices);
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw new InvalidArgumentError('expected a number');
  return value;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('expected a whole number');
  return value;
}

function numbers(text: string): number[] {
  return text.split(',').map(number);
}

function fill(text: string): number | 'edge' {
  return text === 'edge' ? text : number(text);
}
