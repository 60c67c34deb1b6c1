// a seed → test values that are the same on every machine, and in record_mnist_cnn.py.

/** mulberry32: uniform in [0, 1), 32 bits; uint32 arithmetic only, so that Python draws the same. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Uniform in [low, high), rounded to float32: what both ONNX Runtime and the float64 reference are given. */
export function uniform(random: () => number, count: number, low = -1, high = 1): Float64Array {
  return Float64Array.from({ length: count }, () => Math.fround(low + (high - low) * random()));
}

/** Every value at least 1 / count from every other and from 0, in a seeded order: no ties for ReLU and max pool. */
export function distinct(random: () => number, count: number): Float64Array {
  const steps = Array.from({ length: count }, (_, i) => i - Math.floor(count / 2) + 0.5);
  const order = steps.map((value) => [random(), value] as const).sort(([a], [b]) => a - b);
  return Float64Array.from(order, ([, value]) => Math.fround((2 * value) / count));
}

export function integerBetween(random: () => number, low: number, high: number): number {
  return low + Math.floor(random() * (high - low + 1));
}

export function pick<T>(random: () => number, choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)] as T;
}
