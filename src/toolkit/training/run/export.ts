// a checkpoint → float32.onnx: the forward graph with the trained weights, for any batch size. A binarised network also gets binary.onnx and int8.onnx.
import { rm } from 'node:fs/promises';
import type { VariantName } from '../../../inference/models/card.js';
import { buildForward } from '../../architectures/forward.js';
import { binaryVariants } from '../../binary/variants.js';
import { weightsAsSigns } from '../../binary/weights.js';
import { writeFileAtomic } from '../../files.js';
import { toInferenceMode } from '../../graph/inference-mode.js';
import { encodeOnnx } from '../../graph/onnx.js';
import { lower } from '../../lowering/lower.js';
import type { Recipe } from '../recipe/recipe.js';
import type { BackboneSettings } from '../recipe/settings.js';
import { optimiserOf } from '../step/optimisers.js';
import { fromTensors, parameterLayout, vectorToTensors } from '../step/parameters.js';
import { loadCheckpoint } from './checkpoint.js';
import type { EpochRecord } from './history.js';
import type { RunFolder } from './run-folder.js';
import { trainedGraph } from './trained-graph.js';

interface Exported {
  readonly variants: ReadonlyMap<VariantName, Uint8Array>;
  readonly epoch: EpochRecord | undefined;
}

/** Returns the last epoch in which the weights were trained, if it was finished. */
export async function exportForward(
  files: RunFolder,
  recipe: Recipe,
  which: 'checkpoint' | 'best',
): Promise<EpochRecord | undefined> {
  const { variants, epoch } = recipe.backbone
    ? await onBackbone(files, recipe, recipe.backbone)
    : await ofArchitecture(files, recipe, which);
  // These files contain other weights, and would be published with the new ones.
  for (const stale of ['float16', 'int8', 'binary'] as const) await rm(files.variant(stale), { force: true });
  for (const [name, bytes] of variants) await writeFileAtomic(files.variant(name), bytes);
  return epoch;
}

async function onBackbone(files: RunFolder, recipe: Recipe, backbone: BackboneSettings): Promise<Exported> {
  const { graph, epoch } = await trainedGraph(files, recipe, backbone);
  return { variants: new Map([['float32', encodeOnnx(graph)]]), epoch };
}

async function ofArchitecture(
  { checkpoint, best }: RunFolder,
  recipe: Recipe,
  which: 'checkpoint' | 'best',
): Promise<Exported> {
  const file = which === 'best' ? best : checkpoint;
  const layout = parameterLayout(recipe.architecture);
  const { state, history } = await loadCheckpoint(file, layout, optimiserOf(recipe).stateNames);
  const parameter = fromTensors(vectorToTensors(layout, state.parameters), file);
  const graph = buildForward(recipe.architecture, { batch: 'N', parameter });
  const float32 = encodeOnnx(lower(toInferenceMode(weightsAsSigns(graph))));
  const { binarisation, input } = recipe;
  const others = binarisation ? binaryVariants(graph, binarisation, input) : [];
  return {
    variants: new Map<VariantName, Uint8Array>([['float32', float32], ...others]),
    epoch: history.at(-1),
  };
}
