// a recipe and the number of labels in a dataset → the recipe with a last layer of that width.
import { classifierOf } from '../../architectures/layers.js';
import { DatasetMismatchError } from '../errors.js';
import { lossOf, type Recipe } from './recipe.js';

/**
 * Sets the width of the last layer, because the dataset defines the labels and the recipe does not.
 * @throws DatasetMismatchError if the network does not end in a dense layer (normalised or not), or its loss is for another number of
 * labels.
 */
export function fitLabels(recipe: Recipe, labels: number): Recipe {
  const { architecture } = recipe;
  const last = classifierOf(architecture);
  if (!last) {
    throw new DatasetMismatchError(
      `${architecture.name}: ends in ${architecture.layers.at(-1)?.kind ?? 'no layer'}, expected a dense layer for ${labels} labels`,
    );
  }
  const units = unitsFor(recipe, labels);
  if (units === last.units) return recipe;
  const layers = architecture.layers.map((layer) => (layer === last ? { ...last, units } : layer));
  return { ...recipe, architecture: { ...architecture, layers } };
}

function unitsFor(recipe: Recipe, labels: number): number {
  if (lossOf(recipe).kind === 'softmax') return labels;
  if (labels === 2) return 1;
  throw new DatasetMismatchError(
    `${recipe.architecture.name}: a sigmoid is for 2 labels, but the dataset has ${labels}`,
  );
}
