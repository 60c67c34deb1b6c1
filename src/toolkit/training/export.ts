// Checkpoint → float32.onnx: the forward graph with the trained weights, for any batch.
import { buildForward } from '../architectures/forward.js';
import { writeFileAtomic } from '../files.js';
import { encodeOnnx } from '../graph/onnx.js';
import { loadCheckpoint } from './checkpoint.js';
import { glorotUniform } from './initialisers.js';
import { collectParameters, fromTensors, unflatten } from './parameters.js';
import { optimiserOf, type Recipe } from './recipe.js';
import { runFolder } from './run.js';

export async function exportForward(folder: string, recipe: Recipe): Promise<void> {
  const { checkpoint, variant } = runFolder(folder);
  const { layout } = collectParameters(recipe.architecture, glorotUniform(recipe.seed));
  const { state } = await loadCheckpoint(checkpoint, layout, optimiserOf(recipe).stateNames);
  const parameter = fromTensors(unflatten(layout, state.parameters), checkpoint);
  const graph = buildForward(recipe.architecture, { batch: 'N', parameter });
  await writeFileAtomic(variant('float32'), encodeOnnx(graph));
}
