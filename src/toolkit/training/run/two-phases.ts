// a backbone and a dataset → first a head trained on cached features, then the last layers of the backbone with it, at a low rate.
import { readFile } from 'node:fs/promises';
import { buildForward, type ParameterSource } from '../../architectures/forward.js';
import type { Dataset } from '../../datasets/dataset.js';
import { exists } from '../../files.js';
import type { Graph } from '../../graph/graph.js';
import { decodeOnnx } from '../../graph/onnx.js';
import { joinHead } from '../backbone/cut.js';
import { extractFeatures } from '../backbone/extract.js';
import { featureImages } from '../backbone/feature-images.js';
import { lastLayers } from '../backbone/layers.js';
import { imagesOf } from '../batches/training-images.js';
import type { Recipe } from '../recipe/recipe.js';
import type { BackboneSettings } from '../recipe/settings.js';
import { zeros } from '../step/initialisers.js';
import { architectureNetwork, graphNetwork, type Network } from '../step/network.js';
import { optimiserOf } from '../step/optimisers.js';
import { collectParameters, fromTensors, parameterLayout, vectorToTensors } from '../step/parameters.js';
import { loadCheckpoint } from './checkpoint.js';
import type { EpochRecord } from './history.js';
import { type PhaseControl, type PhaseResult, runPhase } from './phase.js';
import type { RunFolder } from './run-folder.js';

export interface TwoPhases {
  readonly recipe: Recipe;
  readonly backbone: BackboneSettings;
  readonly dataset: Dataset;
  readonly files: RunFolder;
  readonly control: PhaseControl;
  /** The number of threads that augment. */
  readonly dataThreads: number;
  readonly onFeatures: (images: number, of: number) => void;
}

/** A resumed run continues in its second phase if that has begun, because the checkpoint of that phase holds the head too. */
export async function runTwoPhases(options: TwoPhases): Promise<PhaseResult> {
  const { backbone, files, control } = options;
  const begun = control.resume && (await exists(files.checkpoint));
  const first = begun ? await endOfHead(options) : await runHead(options);
  if (!first.finished || backbone.fineTune === 0) return first;
  return await fineTune(options, first);
}

async function runHead({
  recipe,
  backbone,
  dataset,
  files,
  control,
  dataThreads,
  onFeatures,
}: TwoPhases): Promise<PhaseResult> {
  const { threads, shouldStop } = control;
  const graph = await readBackbone(files);
  const { views } = backbone.head;
  const features = await extractFeatures(graph, dataset, {
    recipe,
    views,
    threads,
    dataThreads,
    shouldStop,
    onProgress: onFeatures,
  });
  if (features === undefined) return { finished: false, history: [], steps: 0 };
  const phase = headRecipe(recipe, backbone);
  const result = await runPhase(
    {
      recipe: phase,
      // One layer is a convex problem. From zero it ends at small weights; random weights would keep parts that no image needs.
      network: architectureNetwork(recipe.architecture, zeros),
      images: featureImages(features, dataset, phase),
      files: { checkpoint: files.head, best: files.bestHead },
    },
    { ...control, onHistory: (history) => control.onHistory(inPhase(history, 'head')) },
  );
  return { ...result, history: inPhase(result.history, 'head') };
}

async function fineTune(
  { recipe, backbone, dataset, files, control, dataThreads }: TwoPhases,
  first: PhaseResult,
) {
  const { maxSteps } = control;
  const earlier = first.history;
  const counted = (history: readonly EpochRecord[]) => [
    ...earlier,
    ...inPhase(history, 'fine-tune', earlier.length),
  ];
  const { parameter } = await readHead(files, recipe, backbone);
  const result = await runPhase(
    {
      recipe,
      network: wholeNetwork(await readBackbone(files), recipe, backbone, parameter),
      images: imagesOf(dataset, recipe, dataThreads),
      files,
    },
    {
      ...control,
      ...(maxSteps !== undefined && { maxSteps: Math.max(0, maxSteps - first.steps) }),
      onStep: (progress) => control.onStep({ ...progress, epoch: progress.epoch + earlier.length }),
      onHistory: (history) => control.onHistory(counted(history)),
    },
  );
  return { ...result, steps: first.steps + result.steps, history: counted(result.history) };
}

export async function readBackbone({ backbone }: RunFolder): Promise<Graph> {
  return decodeOnnx(await readFile(backbone), backbone);
}

/** The recipe of the first phase, with its own values. It does not augment, because the features come from augmented images. */
function headRecipe({ augmentation: _, ...recipe }: Recipe, { head }: BackboneSettings): Recipe {
  const { epochs, learningRate, batchSize } = head;
  return { ...recipe, schedule: { kind: 'cosine' }, epochs, learningRate, batchSize };
}

/** Backbone and head as one network. The head and the last layers of the backbone are trained. */
export function wholeNetwork(
  graph: Graph,
  recipe: Recipe,
  { fineTune: layers }: BackboneSettings,
  parameter: ParameterSource,
): Network {
  const head = buildForward(recipe.architecture, { batch: 'N', parameter });
  const { tensors } = collectParameters(recipe.architecture, parameter);
  return graphNetwork(joinHead(graph, head), [...lastLayers(graph, layers), ...tensors.keys()]);
}

interface TrainedHead {
  /** The weights of the best epoch if the recipe keeps it, else the last ones. */
  readonly parameter: ParameterSource;
  /** The history up to the epoch of those weights. */
  readonly history: readonly EpochRecord[];
  /** The history up to the last epoch. */
  readonly all: readonly EpochRecord[];
  readonly steps: number;
}

export async function readHead(
  { head, bestHead }: RunFolder,
  recipe: Recipe,
  backbone: BackboneSettings,
): Promise<TrainedHead> {
  const layout = parameterLayout(recipe.architecture);
  const { stateNames } = optimiserOf(headRecipe(recipe, backbone));
  const last = await loadCheckpoint(head, layout, stateNames);
  const keepsBest = recipe.earlyStopping !== undefined && (await exists(bestHead));
  const chosen = keepsBest ? await loadCheckpoint(bestHead, layout, stateNames) : last;
  return {
    parameter: fromTensors(vectorToTensors(layout, chosen.state.parameters), keepsBest ? bestHead : head),
    history: inPhase(chosen.history, 'head'),
    all: inPhase(last.history, 'head'),
    steps: last.state.step,
  };
}

async function endOfHead({ recipe, backbone, files }: TwoPhases): Promise<PhaseResult> {
  const { all, steps } = await readHead(files, recipe, backbone);
  return { finished: true, history: all, steps };
}

/** Each phase counts its own epochs. Reports and files count the epochs of both phases together. */
export function inPhase(
  history: readonly EpochRecord[],
  phase: NonNullable<EpochRecord['phase']>,
  before = 0,
): EpochRecord[] {
  return history.map((record) => ({ ...record, epoch: record.epoch + before, phase }));
}
