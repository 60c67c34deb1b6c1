// Checkpoint → float32.onnx: the forward graph with the trained weights, for any batch; binarised, also binary.onnx and int8.onnx.
import { rm } from 'node:fs/promises';
import { buildForward } from '../architectures/forward.js';
import { binaryVariants } from '../binary/variants.js';
import { weightsAsSigns } from '../binary/weights.js';
import { writeFileAtomic } from '../files.js';
import { toInferenceMode } from '../graph/inference-mode.js';
import { encodeOnnx } from '../graph/onnx.js';
import { lower } from '../lowering/lower.js';
import { loadCheckpoint } from './checkpoint.js';
import type { EpochRecord } from './history.js';
import { glorotUniform } from './initialisers.js';
import { collectParameters, fromTensors, unflatten } from './parameters.js';
import { optimiserOf, type Recipe } from './recipe.js';
import type { RunFolder } from './run.js';

/** Gives the last epoch that the weights were trained in, if they were to its end. */
export async function exportForward(
  { checkpoint, best, variant }: RunFolder,
  recipe: Recipe,
  which: 'checkpoint' | 'best',
): Promise<EpochRecord | undefined> {
  const file = which === 'best' ? best : checkpoint;
  const { layout } = collectParameters(recipe.architecture, glorotUniform(recipe.seed));
  const { state, history } = await loadCheckpoint(file, layout, optimiserOf(recipe).stateNames);
  const parameter = fromTensors(unflatten(layout, state.parameters), file);
  const graph = buildForward(recipe.architecture, { batch: 'N', parameter });
  // Made of other weights: they would be published beside these.
  for (const stale of ['float16', 'int8', 'binary'].map(variant)) await rm(stale, { force: true });
  await writeFileAtomic(variant('float32'), encodeOnnx(lower(toInferenceMode(weightsAsSigns(graph)))));
  if (recipe.binarisation) {
    const variants = binaryVariants(graph, recipe.binarisation, recipe.input);
    for (const [name, bytes] of variants) await writeFileAtomic(variant(name), bytes);
  }
  return history.at(-1);
}
