// Recipe + how many labels a dataset has → the recipe, its network's last layer as wide as that.
import { classifierOf } from '../../architectures/layers.js';
import { DatasetMismatchError } from '../errors.js';
import { lossOf, type Recipe } from './recipe.js';

/**
 * A recipe says how to train, the dataset what is told apart.
 * @throws DatasetMismatchError when the network does not end in a dense layer, normalised or not, or its loss tells another number apart.
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
