// quati augment: a recipe's augmentation → a PNG that shows it.
import path from 'node:path';
import { Argument, Command, Option } from 'commander';
import { isAugmenting } from '../toolkit/augmentation/augmentation.js';
import { drawContactSheet } from '../toolkit/augmentation/contact-sheet.js';
import { loadDataset } from '../toolkit/datasets/load.js';
import { writeFileAtomic } from '../toolkit/files.js';
import { encodePng } from '../toolkit/images/png.js';
import { createRandom, permutation } from '../toolkit/random.js';
import { findRecipe, recipes } from '../toolkit/training/recipe/bundled/index.js';
import { flagGroups } from '../toolkit/training/recipe/flags.js';
import { resolveRecipe } from '../toolkit/training/recipe/resolve.js';
import { positiveInteger } from './command-line.js';
import { WrongUseError } from './errors.js';
import type { CliIo } from './io.js';
import { addRecipeFlags } from './recipe-flags.js';
import { overridesOf, type TrainFlags } from './train-flags.js';

export interface AugmentFlags extends TrainFlags {
  out: string;
  images: number;
  variants: number;
  skipBad?: boolean;
}

export function augmentCommand(io: CliIo): Command {
  const command = new Command('augment')
    .description(
      'draw training images with the augmentation of a recipe: the original, then one column per epoch',
    )
    .addArgument(new Argument('<recipe>', 'the recipe').choices(recipes.map(({ name }) => name)))
    .requiredOption('--out <file>', 'the PNG to write')
    .option('--data <folder>', 'the dataset, or a folder of images (default: data/<dataset of the recipe>)')
    .option('--images <n>', 'rows', positiveInteger, 8)
    .option('--variants <n>', 'columns after the original', positiveInteger, 8)
    .addOption(
      new Option('--seed <n>', 'the seed for the choice of images and for the augmentation').argParser(
        Number,
      ),
    )
    .option('--skip-bad', 'skip files of a folder that are not images');
  addRecipeFlags(command, flagGroups.augmentation, 'Augmentation (default: the values of the recipe)');
  return command
    .optionsGroup('Other:')
    .addHelpText(
      'after',
      '\nExamples:\n  $ quati augment mnist-cnn --out sheet.png --rotation 10 --shift 0.1\n  $ quati augment mnist-deeper --out sheet.png --images 4 --variants 12',
    )
    .action((name: string, flags: AugmentFlags) => runAugment(name, flags, io));
}

export async function runAugment(name: string, flags: AugmentFlags, io: CliIo): Promise<void> {
  const recipe = resolveRecipe(findRecipe(name), overridesOf(flags));
  const { augmentation = {}, input, seed } = recipe;
  if (!isAugmenting(augmentation))
    throw new WrongUseError(`${name} has no augmentation: set it by a flag, such as --rotation 10`);
  const { train } = await loadDataset(flags.data ?? path.join('data', recipe.dataset), {
    input,
    skipBad: flags.skipBad,
  });
  const images = [...permutation(train.count, createRandom(seed, 'contact sheet')).subarray(0, flags.images)];
  const { width, height, pixels } = drawContactSheet(train, augmentation, {
    images,
    variants: flags.variants,
    seed,
  });
  await writeFileAtomic(flags.out, await encodePng(pixels, { ...input, width, height }));
  io.stdout.write(
    `${flags.out}: ${images.length} images as ${name} trains on them in ${flags.variants} epochs, after the original\n`,
  );
}
