// features → images for the training loop. Each epoch uses another view of every image.
import type { Dataset } from '../../datasets/dataset.js';
import type { BatchSource } from '../batches/batch-source.js';
import { type Batch, batchCount, batchOf } from '../batches/batches.js';
import { holdBack, type TrainingImages } from '../batches/training-images.js';
import type { Recipe } from '../recipe/recipe.js';
import type { ExtractedFeatures, Features } from './extract.js';

/** Validation images that come from the training images are not augmented. */
export function featureImages(
  { views, validation }: ExtractedFeatures,
  dataset: Dataset,
  recipe: Recipe,
): TrainingImages {
  const { batchSize } = recipe;
  const [plain] = views;
  const source: BatchSource = {
    async *read(order, epoch, first) {
      const view = views[epoch % views.length];
      for (let index = first; view && index < batchCount(order.length, batchSize); index++)
        yield chosenRows(view, batchOf(order, index, batchSize));
    },
    close: async () => undefined,
  };
  const validated = (validation ?? plain) as Features;
  return {
    ...holdBack(dataset, recipe),
    source,
    readValidation: (order, index) => chosenRows(validated, batchOf(order, index, batchSize)),
    labels: dataset.labels.length,
  };
}

function chosenRows({ rows, width, labels }: Features, chosen: Uint32Array): Batch {
  const images = new Float32Array(chosen.length * width);
  chosen.forEach((row, i) => {
    images.set(rows.subarray(row * width, (row + 1) * width), i * width);
  });
  return {
    images,
    labels: BigInt64Array.from(chosen, (row) => BigInt(labels[row] ?? 0)),
    count: chosen.length,
  };
}
