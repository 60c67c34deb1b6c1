// Float graph, quantised graph and images → how much their values differ.
import type { Graph } from '../graph/graph.js';
import { QuantisationError } from './errors.js';
import type { CalibrationBatch } from './feeds.js';
import { addPower, decibels, type Power } from './noise.js';
import { observe } from './observe.js';

/**
 * Compares values of two graphs.
 * @param pairs name in the float graph → name in the other.
 * @returns decibels of signal over noise, by name in the float graph; undefined if there is no difference.
 */
export async function compareGraphs(
  float: Graph,
  other: Graph,
  pairs: ReadonlyMap<string, string>,
  batches: Iterable<CalibrationBatch>,
): Promise<Map<string, number | undefined>> {
  const expected = observe(float, [...pairs.keys()], batches);
  const powers = new Map<string, Power>();
  for await (const actual of observe(other, [...new Set(pairs.values())], batches)) {
    const { value } = await expected.next();
    if (!value) throw new QuantisationError(`${float.name}: returned fewer batches than its variant`);
    for (const [name, otherName] of pairs) {
      const known = powers.get(name) ?? { signal: 0, noise: 0 };
      powers.set(name, addPower(known, value.get(name) ?? [], actual.get(otherName) ?? []));
    }
  }
  await expected.return(undefined);
  return new Map([...powers].map(([name, power]) => [name, decibels(power)]));
}

/** Returns the first `images` images, in batches; all if there are fewer. */
export function firstImages(batches: Iterable<CalibrationBatch>, images: number): Iterable<CalibrationBatch> {
  return {
    *[Symbol.iterator]() {
      let left = images;
      for (const { images: pixels, count } of batches) {
        if (left <= 0) return;
        const taken = Math.min(count, left);
        yield { images: pixels.subarray(0, (pixels.length / count) * taken), count: taken };
        left -= taken;
      }
    },
  };
}

/** Returns the name of the first output. @throws QuantisationError if there is none. */
export function scoresOf(graph: Graph): string {
  const [scores] = graph.outputs;
  if (!scores) throw new QuantisationError(`${graph.name}: has no output`);
  return scores.name;
}
