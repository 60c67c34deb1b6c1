// The flags of `quati train`, in the groups of its help: flags for the run, and one for each value of a recipe.
import type { Command } from 'commander';
import { binarisedRecipes } from '../toolkit/training/recipe/bundled/index.js';
import { flagGroups } from '../toolkit/training/recipe/flags.js';
import { overrideNames, type RecipeOverrides } from '../toolkit/training/recipe/overrides.js';
import { runsFolder } from '../toolkit/training/run/run-folder.js';
import { positiveInteger, wholeNumber } from './command-line.js';
import { addRecipeFlags } from './recipe-flags.js';
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
  const { training, binarisation, augmentation, ...others } = flagGroups;
  addRecipeFlags(command, training, 'Training (default: the recipe’s value, else the one shown)');
  for (const group of Object.values(others)) addRecipeFlags(command, group);
  addRecipeFlags(command, binarisation, `Binarisation (of ${binarisedRecipes.join(', ')})`);
  addRecipeFlags(command, augmentation, 'Augmentation of the training images, different in each epoch');
  return command;
}

/** The given flags that set a recipe's values. */
export function overridesOf({ earlyStopping, ...flags }: TrainFlags): RecipeOverrides {
  const values: RecipeOverrides = { ...flags, ...(earlyStopping === false && { earlyStopping }) };
  const given = overrideNames.filter((name) => values[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, values[name]]));
}

function addRunFlags(command: Command): void {
  command
    .option(
      '--data <folder>',
      'the dataset, or a folder of images by category (default: data/<dataset of the recipe>)',
    )
    .option(
      '--run <folder>',
      `the folder for the run (default: ${runsFolder}/<recipe>, or <data> with a backbone)`,
    )
    .option('--resume', 'continue from the checkpoint of the run, with its first values')
    .option('--force', 'delete an existing run and start again')
    .option('--threads <n>', 'threads inside an operator (default: one per core)', positiveInteger)
    .option('--portable', 'use standard ONNX operators only, not the blocked ones of this ONNX Runtime')
    .option('--data-threads <n>', 'threads that augment images ahead of the steps (default: 1)', wholeNumber)
    .option('--skip-bad', 'skip files of an image folder that are not images')
    .option('--max-steps <n>', 'stop after n steps in total', positiveInteger)
    .option('--json', 'print the history and the result as JSON');
}
