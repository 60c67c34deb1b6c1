// Float graph + images → the range of each activation that will be quantised.
import type { Graph } from '../graph/graph.js';
import type { CalibrationBatch } from './feeds.js';
import { entropyLimit, Histogram, percentileRange } from './histogram.js';
import { observe } from './observe.js';
import type { Range } from './parameters.js';

/**
 * How a range is chosen.
 * minmax: from the smallest to the largest value seen.
 * percentile: without the outermost values, so that `percentile` percent remain.
 * entropy: the range whose integers keep most of the distribution of the values, by Kullback-Leibler divergence, as in TensorRT.
 */
export type CalibrationMethod =
  | { readonly kind: 'minmax' }
  | { readonly kind: 'percentile'; readonly percentile: number }
  | { readonly kind: 'entropy' };

/**
 * Returns the range of each value.
 * @param batches are read once for minmax, otherwise twice.
 * @throws QuantisationError if there is no batch.
 */
export async function calibrate(
  graph: Graph,
  values: readonly string[],
  batches: Iterable<CalibrationBatch>,
  method: CalibrationMethod = { kind: 'minmax' },
): Promise<Map<string, Range>> {
  const extremes = new Map<string, Range>();
  for await (const observed of observe(graph, values, batches))
    for (const name of values) {
      const known = extremes.get(name) ?? { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };
      extremes.set(name, (observed.get(name) ?? new Float32Array()).reduce(widen, known));
    }
  if (method.kind === 'minmax') return extremes;
  // The input keeps its full range: a clipped pixel would be another image.
  const kept = new Set(graph.inputs.map(({ name }) => name));
  const inner = values.filter((name) => !kept.has(name) && hasEnds(extremes.get(name)));
  const narrow = method.kind === 'entropy' ? narrowByEntropy : narrowByPercentile(method.percentile);
  const histograms = new Map(inner.map((name) => [name, narrow.histogram(extremes.get(name) as Range)]));
  for await (const observed of observe(graph, inner, batches))
    for (const [name, histogram] of histograms) histogram.add(observed.get(name) ?? new Float32Array());
  const narrowed = [...histograms].map(
    ([name, histogram]) => [name, narrow.range(histogram, extremes.get(name) as Range)] as const,
  );
  return new Map([...extremes, ...narrowed]);
}

function widen(range: Range, value: number): Range {
  if (value >= range.min && value <= range.max) return range;
  return { min: Math.min(range.min, value), max: Math.max(range.max, value) };
}

function hasEnds(range: Range | undefined): boolean {
  return range !== undefined && Number.isFinite(range.min) && Number.isFinite(range.max);
}

interface Narrowing {
  histogram(extremes: Range): Histogram;
  range(histogram: Histogram, extremes: Range): Range;
}

function narrowByPercentile(percentile: number): Narrowing {
  return {
    histogram: ({ min, max }) => new Histogram(min, max),
    range: (histogram, extremes) => percentileRange(histogram, extremes, percentile),
  };
}

/** Counts magnitudes, without 0, which is exact in every range. */
const narrowByEntropy: Narrowing = {
  histogram: ({ min, max }) => new Histogram(0, Math.max(-min, max), { magnitudes: true }),
  range: (histogram, { min, max }) => {
    const oneSided = min >= 0 || max <= 0;
    const limit = entropyLimit(histogram, oneSided ? 256 : 128);
    return { min: Math.max(min, -limit), max: Math.min(max, limit) };
  },
};
