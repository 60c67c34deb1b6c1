// a run on a backbone → float32.onnx: backbone and head with the weights of the better phase, for any batch size.
import { buildForward, type ParameterSource } from '../../architectures/forward.js';
import { exists } from '../../files.js';
import type { Graph } from '../../graph/graph.js';
import { withoutDropout } from '../../graph/inference-mode.js';
import { joinHead, withTensors } from '../backbone/cut.js';
import type { Recipe } from '../recipe/recipe.js';
import type { BackboneSettings } from '../recipe/settings.js';
import { zeros } from '../step/initialisers.js';
import { optimiserOf } from '../step/optimisers.js';
import { fromTensors, vectorToTensors } from '../step/parameters.js';
import { loadCheckpoint } from './checkpoint.js';
import { bestEpoch } from './early-stopping.js';
import type { EpochRecord } from './history.js';
import type { RunFolder } from './run-folder.js';
import { inPhase, readBackbone, readHead, wholeNetwork } from './two-phases.js';

export interface TrainedGraph {
  readonly graph: Graph;
  /** The last epoch in which its weights were trained. */
  readonly epoch: EpochRecord | undefined;
}

/** If the recipe keeps the best epoch, this is the best of both phases, because fine-tuning may not have improved it. */
export async function trainedGraph(
  files: RunFolder,
  recipe: Recipe,
  backbone: BackboneSettings,
): Promise<TrainedGraph> {
  const graph = await readBackbone(files);
  const head = await readHead(files, recipe, backbone);
  const headAlone = {
    graph: joinHead(graph, servingHead(recipe, head.parameter)),
    epoch: head.history.at(-1),
  };
  if (!(await exists(files.checkpoint))) return headAlone;
  const { parameters } = wholeNetwork(graph, recipe, backbone, zeros);
  const file = recipe.earlyStopping && (await exists(files.best)) ? files.best : files.checkpoint;
  const { state, history } = await loadCheckpoint(file, parameters.layout, optimiserOf(recipe).stateNames);
  const tuned = inPhase(history, 'fine-tune', head.all.length).at(-1);
  if (recipe.earlyStopping && headAlone.epoch && tuned) {
    if (bestEpoch([headAlone.epoch, tuned], recipe.earlyStopping) === headAlone.epoch) return headAlone;
  }
  const tensors = vectorToTensors(parameters.layout, state.parameters);
  const parameter = fromTensors(tensors, file);
  return {
    graph: joinHead(withTensors(graph, tensors), servingHead(recipe, parameter)),
    epoch: tuned,
  };
}

/** The head for serving, without Dropout. */
function servingHead(recipe: Recipe, parameter: ParameterSource): Graph {
  return withoutDropout(buildForward(recipe.architecture, { batch: 'N', parameter }));
}
