// the file of a backbone and options about its input → the cut backbone, and the recipe for a classifier on it.
import { createHash } from 'node:crypto';
import type { InputContract } from '../../../inference/image/contract.js';
import { loadRuntime } from '../../../inference/workers/runtime.js';
import { buildForward } from '../../architectures/forward.js';
import { dense, dropout, flatten } from '../../architectures/layers.js';
import type { Augmentation } from '../../augmentation/schema.js';
import type { Graph } from '../../graph/graph.js';
import { encodeOnnx } from '../../graph/onnx.js';
import { withDefaults } from '../../value-schema.js';
import type { Recipe } from '../recipe/recipe.js';
import { type BackboneSettings, HeadSettings, type Loss } from '../recipe/settings.js';
import { zeros } from '../step/initialisers.js';
import { cutBackbone, joinHead } from './cut.js';
import { BackboneError } from './errors.js';
import { findFeatures } from './features.js';
import { layerParameters, unreached } from './layers.js';
import type { LoadedBackbone } from './load.js';

export interface BackboneOptions {
  /** The name for people: the file name without its extension. */
  readonly name: string;
  readonly title: string;
  /** The dataset's name. */
  readonly dataset: string;
  readonly input: InputContract;
  /** The name of the features, where to cut; default: found in the graph. */
  readonly features?: string;
  /** The number of last layers that are trained with the head; default: Infinity, all. */
  readonly fineTune?: number;
  readonly head?: Partial<HeadSettings>;
  /** The epochs of fine-tuning; default: 6. */
  readonly epochs?: number;
  readonly loss?: Loss['kind'];
}

export interface PreparedBackbone {
  readonly graph: Graph;
  readonly recipe: Recipe;
  /** The reason why fewer layers are trained than requested. */
  readonly note?: string;
}

const headDropout = 0.2;
/** Photos of the same object differ in position, distance, angle and direction. */
const photoAugmentation: Augmentation = { flip: true, rotation: 10, zoom: 0.2, shift: 0.1, fill: 'edge' };

/** @throws BackboneError if the file does not have the features, or takes only one image at a time. */
export async function prepareBackbone(
  bytes: Uint8Array,
  loaded: LoadedBackbone,
  options: BackboneOptions,
): Promise<PreparedBackbone> {
  const { input } = options;
  const features = findFeatures(loaded.graph, options.features);
  const dims = await runOnce(loaded, features, input);
  const graph = cutBackbone(loaded, { features, size: input, dims });
  const recipe = recipeOn(Number(graph.outputs[0]?.type.shape[1]), options);
  const { count, note } = reachable(loaded, graph, recipe, options.fineTune);
  const backbone: BackboneSettings = {
    name: options.name,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    features,
    fineTune: count,
    head: withDefaults(HeadSettings, options.head ?? {}),
  };
  return { graph, recipe: { ...recipe, backbone }, ...(note !== undefined && { note }) };
}

/** Fine-tuning changes weights that were learned from a million images, so its rate is low, with a warm-up, for few epochs. */
function recipeOn(width: number, options: BackboneOptions): Recipe {
  const { name, title, dataset, input, loss = 'softmax', epochs = 6 } = options;
  return {
    name,
    title,
    dataset,
    architecture: {
      name: 'head',
      input: { channels: width, height: 1, width: 1 },
      layers: [flatten, dropout(headDropout), dense(loss === 'sigmoid' ? 1 : 2)],
    },
    input,
    augmentation: photoAugmentation,
    loss: { kind: loss },
    optimiser: { kind: 'adamw', weightDecay: 0.05 },
    learningRate: 1e-4,
    schedule: { kind: 'cosine', warmupEpochs: Math.min(1, epochs / 2) },
    clipNorm: 1,
    batchSize: 16,
    epochs,
    validationSplit: 0.15,
    earlyStopping: { monitor: 'valLoss' },
    seed: 1,
  };
}

/** Runs two images, so that a file that takes only one fails here and not during a run. */
async function runOnce(
  { graph, input: name, channels }: LoadedBackbone,
  features: string,
  { width, height }: InputContract,
): Promise<readonly number[]> {
  const { InferenceSession, Tensor } = await loadRuntime();
  const type = graph.types.get(features) ?? { dataType: 'float32' as const, shape: ['N'] };
  const model = encodeOnnx({ ...graph, outputs: [{ name: features, type }] });
  const shape = [2, channels, height, width];
  const values = new Float32Array(2 * channels * height * width);
  try {
    const session = await InferenceSession.create(model, {
      executionProviders: ['cpu'],
      logSeverityLevel: 4,
    });
    const results = await session.run({ [name]: new Tensor('float32', values, shape) });
    await session.release();
    const { dims = [], type: dataType } = results[features] ?? {};
    if (dims[0] === 2 && dataType === 'float32' && (dims.length === 4 || dims.length === 2)) return dims;
    throw new BackboneError(
      `${graph.name}: ${features}: expected features [2, F] or [2, F, h, w] of two images, got ${dataType}[${dims.join(', ')}]`,
    );
  } catch (cause) {
    if (cause instanceof BackboneError) throw cause;
    throw new BackboneError(
      `${graph.name}: does not run on two images of ${channels}x${height}x${width}: ${(cause as Error).message}`,
      { cause },
    );
  }
}

interface Reachable {
  readonly count: number;
  readonly note?: string;
}

/** The requested number of last layers, or fewer if an operator without a gradient rule stops the gradient. */
function reachable(
  { opaque }: LoadedBackbone,
  graph: Graph,
  recipe: Recipe,
  fineTune = Number.POSITIVE_INFINITY,
): Reachable {
  const there = layerParameters(graph).length;
  if (fineTune > there && Number.isFinite(fineTune))
    throw new BackboneError(`${recipe.name}: has ${there} layers with weights, cannot fine-tune ${fineTune}`);
  const asked = Math.min(fineTune, there);
  if (asked === 0) return { count: 0 };
  if (opaque !== undefined) return { count: 0, note: `trains only the head: ${opaque}` };
  const head = buildForward(recipe.architecture, { batch: 'N', parameter: zeros });
  const whole = joinHead(graph, head);
  const reason = unreached(whole, graph, asked);
  if (reason === undefined) return { count: asked };
  const count = mostReached(asked, (layers) => unreached(whole, graph, layers) === undefined);
  const what =
    count === 0 ? 'trains only the head' : `trains the head and the last ${count} of ${there} layers`;
  return { count, note: `${what}: ${reason}` };
}

/** A gradient that reaches a layer reaches all later layers, so a binary search finds the first reachable one. */
function mostReached(below: number, isReached: (layers: number) => boolean): number {
  let [reached, beyond] = [0, below];
  while (beyond - reached > 1) {
    const middle = Math.floor((reached + beyond) / 2);
    if (isReached(middle)) reached = middle;
    else beyond = middle;
  }
  return reached;
}
