// Values → counts in 2048 bins of equal width, and from them the range to quantise.
import type { Range } from './parameters.js';

export const bins = 2048;

export class Histogram {
  readonly counts = new Float64Array(bins);
  readonly width: number;
  readonly #magnitudes: boolean;

  /** @param magnitudes whether to count |x|, without 0. */
  constructor(
    readonly low: number,
    high: number,
    { magnitudes = false }: { magnitudes?: boolean } = {},
  ) {
    this.width = (high - low) / bins || 1;
    this.#magnitudes = magnitudes;
  }

  add(values: Float32Array): void {
    for (const value of values) {
      if (this.#magnitudes && value === 0) continue;
      const at = Math.floor(((this.#magnitudes ? Math.abs(value) : value) - this.low) / this.width);
      const bin = Math.min(Math.max(at, 0), bins - 1);
      this.counts[bin] = (this.counts[bin] ?? 0) + 1;
    }
  }
}

/**
 * Cuts off (100 - percentile) percent of all values: half of them at each end, or all at one end if the other end is 0, as after
 * a Relu. The range ends at borders of bins.
 */
export function percentileRange(histogram: Histogram, { min, max }: Range, percentile: number): Range {
  const { counts, low, width } = histogram;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const sides = min < 0 && max > 0 ? 2 : 1;
  const most = (total * (1 - percentile / 100)) / sides;
  const below = min < 0 ? cut(counts, most) : 0;
  const above = max > 0 ? cut([...counts].reverse(), most) : 0;
  return { min: Math.max(min, low + below * width), max: Math.min(max, low + (bins - above) * width) };
}

/** Returns how many bins, from the first on, together hold at most `most` values. */
function cut(counts: ArrayLike<number>, most: number): number {
  let held = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    held += counts[bin] ?? 0;
    if (held > most) return bin;
  }
  return 0;
}

/**
 * Returns the magnitude to clip at. Candidates keep `levels` bins or more. p is the clipped distribution, and q is p expressed by
 * `levels` integers. The best candidate has the smallest KL(p || q) = sum of p log(p / q).
 */
export function entropyLimit({ counts, width }: Histogram, levels: number): number {
  let best = { divergence: Number.POSITIVE_INFINITY, kept: bins };
  const after = new Float64Array(bins + 1);
  for (let bin = bins - 1; bin >= 0; bin--) after[bin] = (after[bin + 1] ?? 0) + (counts[bin] ?? 0);
  if (after[0] === 0) return bins * width;
  for (let kept = levels; kept <= bins; kept++) {
    const divergence = klDivergence(counts, kept, {
      levels,
      outside: after[kept] ?? 0,
      total: after[0] ?? 1,
    });
    if (divergence <= best.divergence) best = { divergence, kept };
  }
  return best.kept * width;
}

const never = 1e-9;

function klDivergence(
  counts: Float64Array,
  kept: number,
  { levels, outside, total }: { levels: number; outside: number; total: number },
): number {
  const inside = total - outside;
  if (inside === 0) return Number.POSITIVE_INFINITY;
  let divergence = 0;
  for (let level = 0; level < levels; level++) {
    const from = Math.floor((level * kept) / levels);
    const to = Math.floor(((level + 1) * kept) / levels);
    let sum = 0;
    let filled = 0;
    for (let bin = from; bin < to; bin++) {
      const count = counts[bin] ?? 0;
      sum += count;
      if (count > 0) filled++;
    }
    // q spreads the values of a level evenly over the bins of the level that are not empty.
    const q = filled === 0 ? never : Math.max(sum / filled / inside, never);
    for (let bin = from; bin < to; bin++) {
      const count = (counts[bin] ?? 0) + (bin === kept - 1 ? outside : 0);
      if (count > 0)
        divergence += (count / total) * Math.log(count / total / ((counts[bin] ?? 0) > 0 ? q : never));
    }
  }
  return divergence;
}
