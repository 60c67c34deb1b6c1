// A trained batch normalisation → its effect on a channel: one product and one sum, or one comparison before a sign.
import { GraphError } from '../graph/errors.js';
import { floatAttribute, type Graph, type Node } from '../graph/graph.js';
import { toFloat32Array } from '../graph/tensor-data.js';

/** y = factor x + offset, with one factor and one offset per channel. */
export interface Affine {
  readonly factors: readonly number[];
  readonly offsets: readonly number[];
}

/** factor = scale / sqrt(variance + epsilon), offset = bias - factor mean. */
export function affineOf(norm: Node, { initializers }: Pick<Graph, 'initializers'>): Affine {
  const [scale = [], bias = [], mean = [], variance = []] = norm.inputs.slice(1).map((name) => {
    const data = initializers.get(name);
    if (!data) throw new GraphError(`BatchNormalization ${norm.name}: ${name}: expected a constant`);
    return [...toFloat32Array(data)];
  });
  const epsilon = floatAttribute(norm, 'epsilon', 1e-5);
  const factors = scale.map((value, k) => value / Math.sqrt((variance[k] ?? 0) + epsilon));
  return { factors, offsets: factors.map((factor, k) => (bias[k] ?? 0) - factor * (mean[k] ?? 0)) };
}

/** sign(factor x + offset) is +1 where direction x >= bound, else -1. */
export interface Threshold {
  readonly directions: readonly (1 | -1)[];
  readonly bounds: readonly number[];
}

/** Returns the comparison that equals sign(factor x + offset). For a factor of 0 the bound is ∓Infinity, so the offset's sign decides. */
export function thresholdOf({ factors, offsets }: Affine): Threshold {
  return {
    directions: factors.map((factor) => (factor < 0 ? -1 : 1)),
    bounds: factors.map((factor, k) => {
      const offset = offsets[k] ?? 0;
      if (factor === 0) return offset >= 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
      return -offset / Math.abs(factor);
    }),
  };
}

/** Returns `outer` after `inner`: factor (f x + o) + offset. An `outer` of one channel applies to every channel. */
export function composed(outer: Affine, inner: Affine): Affine {
  const at = (values: readonly number[], k: number) => values[values.length === 1 ? 0 : k] ?? 0;
  const factor = (k: number) => at(outer.factors, k);
  return {
    factors: inner.factors.map((f, k) => factor(k) * f),
    offsets: inner.offsets.map((o, k) => factor(k) * o + at(outer.offsets, k)),
  };
}
