// quati augment: a recipe's augmentation to a PNG that shows it.
import path from 'node:path';
import { Argument, Command, Option } from 'commander';
import { isAugmenting } from '../toolkit/augmentation/augmentation.js';
import { drawContactSheet } from '../toolkit/augmentation/contact-sheet.js';
import { loadDataset } from '../toolkit/datasets/load.js';
import { writeFileAtomic } from '../toolkit/files.js';
import { encodePng } from '../toolkit/images/png.js';
import { createRandom, permutation } from '../toolkit/random.js';
import { findRecipe, recipes } from '../toolkit/training/recipe/bundled/index.js';
import { resolveRecipe } from '../toolkit/training/recipe/recipe.js';
import { positiveInteger } from './command-line.js';
import { WrongUseError } from './errors.js';
import type { CliIo } from './io.js';
import { addAugmentationFlags, overridesOf, type TrainFlags } from './train-flags.js';

export interface AugmentFlags extends TrainFlags {
  out: string;
  images: number;
  variants: number;
  skipBad?: boolean;
}

export function augmentCommand(io: CliIo): Command {
  const command = new Command('augment')
    .description('draw training images as a recipe augments them: the original first, then an epoch a column')
    .addArgument(new Argument('<recipe>', 'which recipe').choices(recipes.map(({ name }) => name)))
    .requiredOption('--out <file>', 'the PNG to write')
    .option('--data <folder>', 'the dataset, or a folder of images (default: data/<dataset of the recipe>)')
    .option('--images <n>', 'rows', positiveInteger, 8)
    .option('--variants <n>', 'columns after the original', positiveInteger, 8)
    .addOption(new Option('--seed <n>', 'of the choice and of the augmentation').argParser(Number))
    .option('--skip-bad', 'leave out files of a folder that are no images');
  addAugmentationFlags(command.optionsGroup('Augmentation (left out, a value is the recipe’s):'));
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
    throw new WrongUseError(`${name} augments nothing: a flag says how, as in --rotation 10`);
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
    `${flags.out}: ${images.length} images as ${name} trains on them in ${flags.variants} epochs, the original first\n`,
  );
}
