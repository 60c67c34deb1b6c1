// The sign and the replacements of its gradient, against formulas in float64.
import t from 'tap';
import { sign, signOf } from '../../../src/toolkit/autodiff/sign.js';
import { annealingAt, type SignGradient } from '../../../src/toolkit/autodiff/sign-gradients.js';
import { GraphBuilder } from '../../../src/toolkit/graph/builder.js';
import { float32Tensor } from '../../../src/toolkit/graph/tensor-data.js';
import { gradientOf, gradientTolerance, largestDifference } from '../../helpers/gradient-check.js';
import { runGraph } from '../../helpers/run-graph.js';

const x = [-3, -1, -0.6, -0.25, 0, 0.25, 0.6, 1, 3];
const annealing = 0.7;

/** The smooth functions whose slopes the gradients are; their derivative is taken by central differences. */
const smooth: Partial<Record<SignGradient, (x: number) => number>> = {
  'annealed-tanh': (x) => Math.max(1 / annealing, 1) * Math.tanh(annealing * x),
  swish: (x) => {
    const s = 1 / (1 + Math.exp(-5 * x));
    return 2 * s * (1 + 5 * x * (1 - s)) - 1;
  },
};

const slope = (gradient: SignGradient) =>
  gradientOf(x, (builder, value) => {
    const inputs = [value, builder.initializer('annealing', float32Tensor([annealing], []))];
    return builder.op('Binarise', gradient === 'annealed-tanh' ? inputs : [value], {
      gradient: { string: gradient },
    });
  });

t.test('the sign is +1 from 0 on and -1 below, in a graph and in a function', async (t) => {
  const values = [-2, -1e-45, -0, 0, 1e-45, 2];
  const builder = new GraphBuilder('sign');
  builder.output(sign(builder, builder.input('x', [values.length])), 'y');
  const { y } = await runGraph(builder.build(), { x: Float64Array.from(values) });
  t.same(Array.from(y?.data ?? []), [-1, -1, 1, 1, 1, 1]);
  t.same(values.map(signOf), [-1, -1, 1, 1, 1, 1]);
});

t.test('identity passes the gradient everywhere, clipped only within ±1, both ends included', async (t) => {
  t.same([...(await slope('identity'))], [1, 1, 1, 1, 1, 1, 1, 1, 1]);
  t.same([...(await slope('clipped'))], [0, 1, 1, 1, 1, 1, 1, 1, 0]);
});

t.test('polynomial falls from 2 at 0 to 0 at ±1', async (t) => {
  const expected = [0, 0, 0.8, 1.5, 2, 1.5, 0.8, 0, 0];
  t.ok(largestDifference(await slope('polynomial'), expected) <= gradientTolerance);
});

for (const [gradient, f] of Object.entries(smooth)) {
  t.test(`${gradient} is the slope of its smooth function`, async (t) => {
    const h = 1e-5;
    const expected = x.map((value) => (f(value + h) - f(value - h)) / (2 * h));
    t.ok(largestDifference(await slope(gradient as SignGradient), expected) <= gradientTolerance);
  });
}

t.test('annealing rises from 0.1 to 10, with 1 at half of the run', async (t) => {
  const rising = [0, 0.5, 1].map(annealingAt);
  t.ok(largestDifference(rising, [0.1, 1, 10]) < 1e-12);
});
