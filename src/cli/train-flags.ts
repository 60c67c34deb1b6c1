// The flags of `quati train`, in the groups that its help shows: those of the run, and one for each value of a recipe.
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
  addRecipeFlags(command, training, 'Training (left out, a value is the recipe’s, or else the default)');
  for (const group of Object.values(others)) addRecipeFlags(command, group);
  addRecipeFlags(command, binarisation, `Binarisation (of ${binarisedRecipes.join(', ')})`);
  addRecipeFlags(command, augmentation, 'Augmentation of the training images, anew in each epoch');
  return command;
}

/** The flags that were given of those that are a recipe's values. */
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
