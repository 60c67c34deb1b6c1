// Float graph + ranges + images → the loss of each layer if it alone is int8, largest loss first.
import type { Graph } from '../graph/graph.js';
import type { CalibrationBatch } from './feeds.js';
import { compareGraphs, scoresOf } from './measure.js';
import type { Range } from './parameters.js';
import { planQuantisation } from './plan.js';
import { type Int8Types, quantiseGraph } from './static-int8.js';

export interface LayerLoss {
  readonly name: string;
  /** Signal over noise of the scores, in decibels, if only this layer is int8; undefined if there is no difference. */
  readonly aloneDb: number | undefined;
}

export interface LossOptions {
  readonly types: Int8Types;
  readonly onLayer?: ((done: number, of: number, name: string) => void) | undefined;
}

/** Measures layers one by one. @param layers their names. */
export async function measureLosses(
  graph: Graph,
  layers: readonly string[],
  { ranges, batches }: { ranges: ReadonlyMap<string, Range>; batches: Iterable<CalibrationBatch> },
  { types, onLayer }: LossOptions,
): Promise<LayerLoss[]> {
  const scores = scoresOf(graph);
  const losses: LayerLoss[] = [];
  const all = new Set(graph.nodes.map(({ name }) => name));
  for (const name of layers) {
    const others = new Set(all);
    others.delete(name);
    const alone = quantiseGraph(graph, planQuantisation(graph, others), ranges, types);
    const pairs = new Map([[scores, scores]]);
    const decibels = await compareGraphs(graph, alone.graph, pairs, batches);
    losses.push({ name, aloneDb: decibels.get(scores) });
    onLayer?.(losses.length, layers.length, name);
  }
  return losses.sort((a, b) => order(a) - order(b));
}

function order({ aloneDb }: LayerLoss): number {
  return aloneDb ?? Number.POSITIVE_INFINITY;
}
