// A float model + calibration images → int8.onnx, float16.onnx and their loss of accuracy. Start here to read the quantisation: prepare →
// plan → calibrate → choose the layers that stay float → rewrite → measure → shorten names.
import { compactNames } from '../graph/compact.js';
import type { Dim, Graph, Node } from '../graph/graph.js';
import { encodeOnnx } from '../graph/onnx.js';
import { toFloat32Array } from '../graph/tensor-data.js';
import { type CalibrationMethod, calibrate } from './calibrate.js';
import { QuantisationError } from './errors.js';
import type { CalibrationBatch } from './feeds.js';
import { toFloat16 } from './float16.js';
import { compareGraphs, firstImages, scoresOf } from './measure.js';
import { addPower, decibels } from './noise.js';
import type { ActivationType, Range } from './parameters.js';
import { planQuantisation, type QuantisationPlan, quantisableLayers } from './plan.js';
import { prepareGraph } from './prepare.js';
import { type Float16Report, float16Note, type Int8Report, type LayerReport } from './report.js';
import { type LayerLoss, measureLosses } from './sensitivity.js';
import { type QuantisedGraph, quantiseGraph } from './static-int8.js';

export interface Int8Options {
  /** Largest integer of a weight: 63 for 7 bits, or 127 for 8. */
  readonly weightLimit: 63 | 127;
  readonly activations: ActivationType;
  readonly calibration: CalibrationMethod;
  /** Names of layers that stay float. */
  readonly exclude: readonly string[];
  /** Number of further layers that stay float: those that lose most as integers, each measured alone. */
  readonly keepFloat: number;
  /** Number of images that losses and noise are measured on. */
  readonly measuredImages: number;
  /** The input's shape, if the model leaves dimensions open. */
  readonly inputShape?: readonly Dim[];
  /** Called after each layer whose loss was measured. */
  readonly onLayer?: (done: number, of: number, name: string) => void;
}

const defaultInt8Options: Int8Options = {
  weightLimit: 63,
  activations: 'uint8',
  calibration: { kind: 'minmax' },
  exclude: [],
  keepFloat: 0,
  measuredImages: 64,
};

export interface Quantised<Report> {
  readonly model: Uint8Array;
  readonly report: Report;
}

/**
 * Quantises to static int8: activations of 8 bits over their calibrated range, int8 weights with a scale per output channel,
 * int32 biases. Writes no file.
 * @param file names the model in errors.
 * @param batches are read several times.
 * @throws QuantisationError, GraphError, UnsupportedOperatorError.
 */
export async function quantiseToInt8(
  model: Uint8Array,
  file: string,
  batches: Iterable<CalibrationBatch>,
  given: Partial<Int8Options> = {},
): Promise<Quantised<Int8Report>> {
  const options = { ...defaultInt8Options, ...given };
  const graph = await prepareGraph(model, file, options);
  const excluded = new Set(options.exclude);
  checkNames(graph, excluded);
  const plan = planQuantisation(graph, excluded);
  const ranges = await calibrate(graph, rangesWanted(plan), batches, options.calibration);
  const measured = firstImages(batches, options.measuredImages);
  const losses = await worstLosses(graph, plan, { ranges, batches: measured }, options);
  const kept = losses.slice(0, options.keepFloat).map(({ name }) => name);
  const last = kept.length > 0 ? planQuantisation(graph, new Set([...excluded, ...kept])) : plan;
  const quantised = quantiseGraph(graph, last, ranges, options);
  const noise = await resultNoise(graph, { plan: last, quantised }, measured);
  const layers = quantisableLayers(graph).map((node) =>
    describeLayer(node, { graph, plan: last, quantised, noise, losses, excluded }),
  );
  const report = {
    activations: options.activations,
    weightBits: options.weightLimit === 63 ? (7 as const) : (8 as const),
    calibration: { ...options.calibration, images: countImages(batches) },
    scoresDb: noise.get(scoresOf(graph)) ?? null,
    measuredImages: countImages(measured),
    layers,
  };
  return { model: encodeOnnx({ ...compactNames(quantised.graph), name: 'int8' }), report };
}

/** Stores weights as half floats; input, output and computation stay float32. @throws as `quantiseToInt8`. */
export async function quantiseToFloat16(
  model: Uint8Array,
  file: string,
  batches: Iterable<CalibrationBatch>,
  given: Partial<Pick<Int8Options, 'measuredImages' | 'inputShape'>> = {},
): Promise<Quantised<Float16Report>> {
  const options = { ...defaultInt8Options, ...given };
  const graph = await prepareGraph(model, file, options);
  const half = toFloat16(graph);
  const measured = firstImages(batches, options.measuredImages);
  const scores = scoresOf(graph);
  const noise = await compareGraphs(graph, half, new Map([[scores, scores]]), measured);
  const report = {
    scoresDb: noise.get(scores) ?? null,
    measuredImages: countImages(measured),
    note: float16Note,
  };
  return { model: encodeOnnx({ ...compactNames(half), name: 'float16' }), report };
}

function checkNames(graph: Graph, excluded: ReadonlySet<string>): void {
  const known = quantisableLayers(graph).map(({ name }) => name);
  const unknown = [...excluded].find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new QuantisationError(
      `${graph.name}: has no layer ${unknown} to exclude; its layers are ${known.join(', ')}`,
    );
}

function rangesWanted({ quantised }: QuantisationPlan): string[] {
  return [...new Set(quantised.values())];
}

async function worstLosses(
  graph: Graph,
  plan: QuantisationPlan,
  inputs: { ranges: ReadonlyMap<string, Range>; batches: Iterable<CalibrationBatch> },
  options: Int8Options,
): Promise<LayerLoss[]> {
  if (options.keepFloat === 0) return [];
  const names = [...plan.layers].map(({ name }) => name);
  if (options.keepFloat >= names.length)
    throw new QuantisationError(
      `${graph.name}: keeping ${options.keepFloat} layers in float leaves none of ${names.length} to quantise`,
    );
  return await measureLosses(graph, names, inputs, { types: options, onLayer: options.onLayer });
}

interface QuantisedPlan {
  readonly plan: QuantisationPlan;
  readonly quantised: QuantisedGraph;
}

/** Measures the noise of every layer's result and of the scores, in decibels. */
async function resultNoise(
  graph: Graph,
  { plan, quantised }: QuantisedPlan,
  batches: Iterable<CalibrationBatch>,
): Promise<Map<string, number | undefined>> {
  const names = quantisableLayers(graph).map((node) => resultOf(node, plan));
  const pairs = names.map((name) => [name, quantised.values.get(name) ?? name] as const);
  const scores = scoresOf(graph);
  return await compareGraphs(graph, quantised.graph, new Map([...pairs, [scores, scores]]), batches);
}

/** Returns a layer's output, or the output of the Relu that was absorbed into it. */
function resultOf({ outputs: [output = ''] }: Node, { absorbed }: QuantisationPlan): string {
  return [...absorbed].find(([, input]) => input === output)?.[0] ?? output;
}

interface LayerContext extends QuantisedPlan {
  readonly graph: Graph;
  readonly noise: ReadonlyMap<string, number | undefined>;
  readonly losses: readonly LayerLoss[];
  readonly excluded: ReadonlySet<string>;
}

function describeLayer(node: Node, context: LayerContext): LayerReport {
  const { graph, plan, quantised, noise, losses, excluded } = context;
  const isInt8 = plan.layers.has(node);
  const weights = graph.initializers.get(node.inputs[1] ?? '');
  const now = quantised.weights.get(node.name);
  const weightsDb =
    weights && now && decibels(addPower({ signal: 0, noise: 0 }, toFloat32Array(weights), now));
  const reason = excluded.has(node.name) ? ('excluded' as const) : ('worst loss' as const);
  return {
    name: node.name,
    op: node.op,
    runs: isInt8 ? 'int8' : 'float32',
    ...(!isInt8 && { reason }),
    weights: weights?.dims ?? [],
    weightsDb: weightsDb ?? null,
    resultDb: noise.get(resultOf(node, plan)) ?? null,
    aloneDb: losses.find(({ name }) => name === node.name)?.aloneDb ?? null,
  };
}

function countImages(batches: Iterable<CalibrationBatch>): number {
  let images = 0;
  for (const { count } of batches) images += count;
  return images;
}
