// Fifty steps of Adam as a graph against the formula in float64.
import t from 'tap';
import { GraphBuilder } from '../../../../src/toolkit/graph/builder.js';
import type { Adam } from '../../../../src/toolkit/training/recipe/settings.js';
import { adam } from '../../../../src/toolkit/training/step/optimisers.js';
import { floats } from '../../../helpers/gradient-check.js';
import { runGraph } from '../../../helpers/run-graph.js';
import { mulberry32, uniform } from '../../../helpers/seeded-values.js';

/** Kingma and Ba (2015), algorithm 1, for one number: as written there, bias corrections and all. */
function adamScalar(
  start: number,
  gradients: readonly number[],
  rate: number,
  options: Required<AdamOptions>,
): number {
  const { beta1, beta2, epsilon } = options;
  let [theta, m, v] = [start, 0, 0];
  gradients.forEach((g, i) => {
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    const [mHat, vHat] = [m / (1 - beta1 ** (i + 1)), v / (1 - beta2 ** (i + 1))];
    theta -= (rate * mHat) / (Math.sqrt(vHat) + epsilon);
  });
  return theta;
}

const count = 40;
const steps = 50;
type AdamOptions = Omit<Adam, 'kind'>;

const settings: readonly [number, AdamOptions][] = [
  [1e-3, {}],
  [0.1, { beta1: 0.5, beta2: 0.9 }],
  [1e-2, { epsilon: 1 }],
];

for (const [rate, options] of settings)
  t.test(
    `fifty steps at ${rate} with ${JSON.stringify(options)} end with the values of float64`,
    async (t) => {
      const optimiser = adam(options);
      const builder = new GraphBuilder('adam');
      const input = (name: string) => builder.input(name, [count]);
      const { parameters, state } = optimiser.update(builder, {
        parameters: input('parameters'),
        gradient: input('gradient'),
        state: optimiser.stateNames.map(input),
        scalars: optimiser.scalarNames.map((name) => builder.input(name, [])),
        decay: () => t.fail('Adam takes no decay') as never,
      });
      [parameters, ...state].forEach((value, i) => {
        builder.output(value, `next${i}`);
      });
      const graph = builder.build();
      const random = mulberry32(5);
      const start = uniform(random, count);
      // Gradients of very different sizes, some of them 0 throughout.
      const gradients = Array.from({ length: steps }, () =>
        uniform(random, count).map((g, i) => Math.fround(i % 8 === 7 ? 0 : g * 10 ** ((i % 9) - 6))),
      );
      let [current, m, v]: [Float64Array, Float64Array, Float64Array] = [
        start,
        new Float64Array(count),
        new Float64Array(count),
      ];
      for (const [i, gradient] of gradients.entries()) {
        const [stepSize = 0, stepEpsilon = 0] = optimiser.scalars(i + 1, rate);
        const feeds = { parameters: current, gradient, moment1: m, moment2: v };
        const scalars = { stepSize: Float64Array.of(stepSize), stepEpsilon: Float64Array.of(stepEpsilon) };
        const { next0, next1, next2 } = await runGraph(graph, { ...feeds, ...scalars });
        [current, m, v] = [floats(next0), floats(next1), floats(next2)];
      }
      const complete = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, ...options };
      const differences = Array.from(start, (value, i) => {
        const own = gradients.map((gradient) => gradient[i] ?? 0);
        return Math.abs((current[i] ?? Number.NaN) - adamScalar(value, own, rate, complete));
      });
      // Fifty roundings of half an ulp, 6e-8 of the value, each.
      const scale = Math.max(1, ...current.map(Math.abs));
      t.ok(Math.max(...differences) <= 2e-6 * scale, `off by ${Math.max(...differences) / scale}`);
    },
  );
