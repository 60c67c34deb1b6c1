// Optimisers as graphs in ONNX Runtime, step by step, against recorded values of PyTorch.
import t from 'tap';
import { GraphBuilder } from '../../../../src/toolkit/graph/builder.js';
import { elementCount, type Graph } from '../../../../src/toolkit/graph/graph.js';
import type { OptimiserSettings } from '../../../../src/toolkit/training/recipe/settings.js';
import {
  createOptimiser,
  decayOf,
  type Optimiser,
} from '../../../../src/toolkit/training/step/optimisers.js';
import { floats, largestDifference, largestOf } from '../../../helpers/gradient-check.js';
import { runGraph } from '../../../helpers/run-graph.js';
import { mulberry32, uniform } from '../../../helpers/seeded-values.js';
import { parts } from '../../../helpers/training-parts-fixture.js';

/** A weight, a bias and a norm's scale, as in record_training_parts.py. */
const shapes = [[4, 3], [4], [3]];
const length = 19;

function draw(seedOf: (tensor: number) => number, reach: number): number[] {
  return shapes.flatMap((shape, i) => [
    ...uniform(mulberry32(seedOf(i)), elementCount(shape), -reach, reach),
  ]);
}

function updateGraph(optimiser: Optimiser): Graph {
  const builder = new GraphBuilder('update');
  const vector = (name: string) => builder.input(name, [length]);
  const { parameters, state } = optimiser.update(builder, {
    parameters: vector('parameters'),
    gradient: vector('gradient'),
    state: optimiser.stateNames.map(vector),
    scalars: optimiser.scalarNames.map((name) => builder.input(name, [])),
    decay: decayOf(
      builder,
      shapes.map((shape) => ({ shape })),
    ),
  });
  builder.output(parameters, 'parameters.next');
  state.forEach((value, i) => {
    builder.output(value, `${optimiser.stateNames[i]}.next`);
  });
  return builder.build();
}

/** The parameters after each step. */
async function trajectory(optimiser: Optimiser): Promise<Float64Array[]> {
  const graph = updateGraph(optimiser);
  let parameters: Float64Array = Float64Array.from(draw((i) => 10 + i, 1));
  let state: Float64Array[] = optimiser.stateNames.map(() => new Float64Array(length));
  const after: Float64Array[] = [];
  for (let step = 1; step <= parts.steps; step++) {
    const rate = parts.learningRates[step % parts.learningRates.length] ?? 0;
    const scalars = optimiser.scalars(step, rate).map((value) => Float64Array.of(value));
    const results = await runGraph(graph, {
      parameters,
      gradient: Float64Array.from(draw((i) => 100 * step + i, step % 3 === 0 ? 0.2 : 1)),
      ...Object.fromEntries(optimiser.stateNames.map((name, i) => [name, state[i] ?? parameters])),
      ...Object.fromEntries(optimiser.scalarNames.map((name, i) => [name, scalars[i] ?? parameters])),
    });
    parameters = floats(results['parameters.next']);
    state = optimiser.stateNames.map((name) => floats(results[`${name}.next`]));
    after.push(parameters);
  }
  return after;
}

const cases: Record<string, [OptimiserSettings, clipNorm?: number]> = {
  sgd: [{ kind: 'sgd', momentum: 0 }],
  'sgd momentum': [{ kind: 'sgd', momentum: 0.9, nesterov: false }],
  'sgd nesterov decay': [{ kind: 'sgd', weightDecay: 5e-2 }],
  'sgd decay': [{ kind: 'sgd', momentum: 0, weightDecay: 5e-2 }],
  'sgd nesterov clipped decay': [{ kind: 'sgd', momentum: 0.8, nesterov: true, weightDecay: 5e-2 }, 2],
  adam: [{ kind: 'adam' }],
  'adam settings': [{ kind: 'adam', beta1: 0.8, beta2: 0.95, epsilon: 1e-3 }],
  adamw: [{ kind: 'adamw', weightDecay: 0.1 }],
  'adamw clipped': [{ kind: 'adamw', beta1: 0.85, beta2: 0.99, weightDecay: 0.1 }, 2],
};

t.same(Object.keys(parts.optimisers).sort(), Object.keys(cases).sort(), 'every recorded case is compared');

for (const [name, [settings, clipNorm]] of Object.entries(cases))
  t.test(`${name}: ${parts.steps} steps end with the values of PyTorch`, async (t) => {
    const steps = await trajectory(createOptimiser(settings, clipNorm));
    for (const [step, expected] of Object.entries(parts.optimisers[name]?.parameters ?? {})) {
      const error = largestDifference(steps[Number(step) - 1] ?? [], expected) / largestOf(expected);
      t.ok(error <= 3e-7, `after step ${step}: off by ${error.toExponential(1)}`);
    }
  });

t.test('a gradient that is shorter than the limit keeps every bit', async (t) => {
  const settings = { kind: 'sgd', momentum: 0 } as const;
  const [free, clipped] = [
    await trajectory(createOptimiser(settings)),
    await trajectory(createOptimiser(settings, 100)),
  ];
  t.same(clipped, free);
});

t.test('decay does not affect biases and norms, which have rank 1', async (t) => {
  const builder = new GraphBuilder('decay');
  builder.output(
    decayOf(builder, [{ shape: [2, 1, 1, 1] }, { shape: [2] }, { shape: [1, 2] }, { shape: [1] }])(0.5),
    'decay',
  );
  t.same([...floats((await runGraph(builder.build(), {})).decay)], [0.5, 0.5, 0, 0, 0.5, 0.5, 0]);
});

t.test('an optimiser keeps only the vectors that it needs', async (t) => {
  const stateOf = (settings: OptimiserSettings) => createOptimiser(settings, 1).stateNames;
  t.same(stateOf({ kind: 'sgd', momentum: 0, weightDecay: 0.1 }), []);
  t.same(stateOf({ kind: 'sgd' }), ['velocity']);
  t.same(stateOf({ kind: 'adamw' }), ['moment1', 'moment2']);
});
