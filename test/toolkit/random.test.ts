// Random numbers: the published algorithm, independent streams, and uniform distributions.
import t from 'tap';
import { createRandom, permutation } from '../../src/toolkit/random.js';

/** xoshiro128** 1.1 as published in C (prng.di.unimi.it/xoshiro128starstar.c), in 64-bit integers masked to 32 bits. */
function* xoshiro128(seed: readonly bigint[]): Generator<number, never> {
  const mask = 0xffffffffn;
  const rotl = (x: bigint, k: bigint) => ((x << k) | (x >> (32n - k))) & mask;
  let [s0 = 0n, s1 = 0n, s2 = 0n, s3 = 0n] = seed;
  for (;;) {
    yield Number((rotl((s1 * 5n) & mask, 7n) * 9n) & mask);
    const shifted = (s1 << 9n) & mask;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= shifted;
    s3 = rotl(s3, 11n);
  }
}

/** FNV-1a of the stream's text, then splitmix32, four times: the state a stream starts from. */
function stateOf(text: string): bigint[] {
  const mask = 0xffffffffn;
  let state = Buffer.from(text).reduce(
    (hash, byte) => ((hash ^ BigInt(byte)) * 0x01000193n) & mask,
    0x811c9dc5n,
  );
  return Array.from({ length: 4 }, () => {
    state = (state + 0x9e3779b9n) & mask;
    let z = ((state ^ (state >> 16n)) * 0x21f0aaadn) & mask;
    z = ((z ^ (z >> 15n)) * 0x735a2d97n) & mask;
    return z ^ (z >> 15n);
  });
}

/** Sum of (count - expected)² / expected. */
function chiSquare(counts: ArrayLike<number>, expected: number): number {
  return Array.from(counts).reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

t.test('the numbers equal those of the published xoshiro128**', async (t) => {
  const published = xoshiro128([1n, 2n, 3n, 4n]);
  t.same(
    Array.from({ length: 8 }, () => published.next().value),
    [11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849],
    'the reference, from the state 1, 2, 3, 4',
  );
  for (const [seed, stream] of [
    [1, ['initialiser', 'conv1.weight']],
    [7, ['shuffle', 3]],
    [-5, []],
  ] as const) {
    const random = createRandom(seed, ...stream);
    const reference = xoshiro128(stateOf([seed, ...stream].join('/')));
    const draws = Array.from({ length: 1000 }, () => [random.next() * 2 ** 32, reference.next().value]);
    t.same(
      draws.find(([ours, theirs]) => ours !== theirs),
      undefined,
    );
  }
});

t.test('the same seed and stream give the same numbers, others give other numbers', async (t) => {
  const draw = (...args: Parameters<typeof createRandom>) => {
    const random = createRandom(...args);
    return Array.from({ length: 8 }, () => random.next()).join();
  };
  t.equal(draw(1, 'shuffle', 2), draw(1, 'shuffle', 2));
  const all = [
    draw(1, 'shuffle', 2),
    draw(1, 'shuffle', 3),
    draw(2, 'shuffle', 2),
    draw(1, 'validation split'),
    draw(1),
    draw(12),
  ];
  t.equal(new Set(all).size, all.length);
});

t.test('numbers are uniform over [0, 1), and neighbouring streams are not correlated', async (t) => {
  const [a, b] = [createRandom(1, 'even', 0), createRandom(1, 'even', 1)];
  const single = new Float64Array(64);
  const pairs = new Float64Array(64);
  const draws = 64_000;
  for (let i = 0; i < draws; i++) {
    const [x, y] = [a.next(), b.next()];
    if (x < 0 || x >= 1) t.fail(`${x} is not in [0, 1)`);
    single[Math.floor(x * 64)] = (single[Math.floor(x * 64)] ?? 0) + 1;
    const cell = Math.floor(x * 8) * 8 + Math.floor(y * 8);
    pairs[cell] = (pairs[cell] ?? 0) + 1;
  }
  // 63 degrees of freedom: 99.9 % of even draws stay below 103.4.
  t.ok(chiSquare(single, draws / 64) < 103.4);
  t.ok(chiSquare(pairs, draws / 64) < 103.4);
});

t.test('integers below a bound are uniform, also if the bound does not divide 2^32', async (t) => {
  for (const bound of [1, 3, 10, 3 * 2 ** 30]) {
    const random = createRandom(2, 'below', bound);
    const counts = new Float64Array(Math.min(bound, 3));
    for (let i = 0; i < 30_000; i++) {
      const value = random.below(bound);
      if (value < 0 || value >= bound || !Number.isInteger(value)) t.fail(`${value} is not below ${bound}`);
      const third = Math.floor((value / bound) * counts.length);
      counts[third] = (counts[third] ?? 0) + 1;
    }
    // Thirds of 10 hold 4, 3 and 3 values.
    const expected = bound === 10 ? [12_000, 9000, 9000] : Array.from(counts, () => 30_000 / counts.length);
    const distance = expected.reduce((sum, count, i) => sum + ((counts[i] ?? 0) - count) ** 2 / count, 0);
    t.ok(distance < 13.8, `below ${bound}: ${distance}`);
  }
});

t.test('a permutation holds each index once, and every order of four is equally likely', async (t) => {
  for (const count of [0, 1, 2, 1000]) {
    const order = permutation(count, createRandom(3, count));
    t.same(
      Array.from(order).sort((a, b) => a - b),
      Array.from({ length: count }, (_, i) => i),
    );
  }
  const random = createRandom(4, 'orders');
  const seen = new Map<string, number>();
  for (let i = 0; i < 24_000; i++) {
    const order = permutation(4, random).join();
    seen.set(order, (seen.get(order) ?? 0) + 1);
  }
  t.equal(seen.size, 24);
  // 23 degrees of freedom: 99.9 % stay below 49.7.
  t.ok(chiSquare([...seen.values()], 1000) < 49.7);
});
