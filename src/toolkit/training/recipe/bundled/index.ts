// All recipes. A new recipe needs a file here and a line below.
import { RecipeError } from '../../../errors.js';
import type { Recipe } from '../recipe.js';
import { cifar10CnnRecipe } from './cifar10-cnn.js';
import { cifar10ResnetRecipe } from './cifar10-resnet.js';
import { lenet5Recipe } from './lenet5.js';
import { lenet5BinaryRecipe } from './lenet5-binary.js';
import { mnistCnnRecipe } from './mnist-cnn.js';
import { mnistDeeperRecipe } from './mnist-deeper.js';
import { mnistDropoutRecipe } from './mnist-dropout.js';
import { mnistSimpleRecipe } from './mnist-simple.js';

export const recipes: readonly Recipe[] = [
  mnistSimpleRecipe,
  mnistCnnRecipe,
  mnistDeeperRecipe,
  mnistDropoutRecipe,
  cifar10CnnRecipe,
  cifar10ResnetRecipe,
  lenet5Recipe,
  lenet5BinaryRecipe,
];

export const binarisedRecipes = recipes.filter(({ binarisation }) => binarisation).map(({ name }) => name);

/** @throws RecipeError listing the recipes, if there is none with this name. */
export function findRecipe(name: string): Recipe {
  const recipe = recipes.find((known) => known.name === name);
  if (recipe) return recipe;
  throw new RecipeError(
    `no recipe has the name ${name}; the recipes are ${recipes.map((known) => known.name).join(', ')}`,
  );
}
