// Histograms → ranges: percentiles against sorted values, entropy against a distribution with a tail that does not matter.
import t from 'tap';
import { calibrate } from '../../../src/toolkit/quantisation/calibrate.js';
import {
  bins,
  entropyLimit,
  Histogram,
  percentileRange,
} from '../../../src/toolkit/quantisation/histogram.js';
import { randomBatches, smallGraph } from '../../helpers/quantised-net.js';
import { mulberry32, uniform } from '../../helpers/seeded-values.js';

/** Sums of twelve uniform numbers: all but normal, of deviation 1. */
const drawn = uniform(mulberry32(4), 12 * 50_000, -0.5, 0.5);
const values = Float32Array.from({ length: 50_000 }, (_, i) =>
  drawn.subarray(12 * i, 12 * (i + 1)).reduce((sum, value) => sum + value, 0),
);
const min = values.reduce((a, b) => Math.min(a, b));
const max = values.reduce((a, b) => Math.max(a, b));

function histogramOf(given: Float32Array, low: number, high: number, magnitudes = false): Histogram {
  const histogram = new Histogram(low, high, { magnitudes });
  histogram.add(given);
  return histogram;
}

t.test('a percentile cuts half of the outside values at each end', (t) => {
  const range = percentileRange(histogramOf(values, min, max), { min, max }, 99);
  const sorted = [...values].sort((a, b) => a - b);
  const width = (max - min) / bins;
  t.ok(Math.abs(range.min - (sorted[250] ?? 0)) <= 2 * width, `${range.min}`);
  t.ok(Math.abs(range.max - (sorted[49_750] ?? 0)) <= 2 * width, `${range.max}`);
  t.end();
});

t.test('if values start at 0, all is cut at the other end, and 0 stays', (t) => {
  const positive = values.map((value) => Math.max(value, 0));
  const range = percentileRange(histogramOf(positive, 0, max), { min: 0, max }, 99);
  const sorted = [...positive].sort((a, b) => a - b);
  t.equal(range.min, 0);
  t.ok(Math.abs(range.max - (sorted[49_500] ?? 0)) <= (2 * max) / bins);
  t.end();
});

t.test('entropy clips a far outlier, and keeps an even distribution completely', (t) => {
  const outlier = Float32Array.from([...values, 60]);
  const limit = entropyLimit(histogramOf(outlier, 0, 60, true), 128);
  t.ok(limit > 2 && limit < 10, `${limit}`);
  const even = Float32Array.from({ length: 40_000 }, (_, i) => i / 40_000);
  t.ok(entropyLimit(histogramOf(even, 0, 1, true), 256) > 0.99);
  t.end();
});

t.test(
  'each method gives ranges within the extremes, and does not change the range of the pixels',
  async (t) => {
    const graph = smallGraph();
    const names = ['image', ...graph.nodes.flatMap(({ outputs }) => outputs)];
    const batches = randomBatches(3, 16);
    const widest = await calibrate(graph, names, batches);
    for (const method of [{ kind: 'percentile', percentile: 99 }, { kind: 'entropy' }] as const) {
      const ranges = await calibrate(graph, names, batches, method);
      t.strictSame(ranges.get('image'), widest.get('image'));
      let narrower = 0;
      for (const [name, { min, max }] of ranges) {
        const all = widest.get(name);
        t.ok(all && min >= all.min && max <= all.max, `${method.kind}: ${name}`);
        if (all && max - min < all.max - all.min) narrower++;
      }
      t.ok(narrower > 0, `${method.kind}: some are narrower`);
    }
  },
);
