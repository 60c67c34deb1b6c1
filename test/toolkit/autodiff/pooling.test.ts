// Gradients of the pools against float64. Inputs are distinct, so that no window has two maxima.
import t from 'tap';
import { differentiate } from '../../../src/toolkit/autodiff/differentiate.js';
import { GraphBuilder } from '../../../src/toolkit/graph/builder.js';
import type { Value } from '../../../src/toolkit/graph/graph.js';
import { lower } from '../../../src/toolkit/lowering/lower.js';
import {
  type Array64,
  array64,
  globalAveragePool,
  maxPool,
  type PoolSettings,
  relu,
} from '../../helpers/float64-reference.js';
import { floats, matchesReference, values } from '../../helpers/gradient-check.js';
import { runGraph } from '../../helpers/run-graph.js';
import { distinct, mulberry32 } from '../../helpers/seeded-values.js';

type Pair = readonly [number, number];

function image(seed: number, ...shape: number[]): Array64 {
  return array64(
    shape,
    distinct(
      mulberry32(seed),
      shape.reduce((product, dim) => product * dim, 1),
    ),
  );
}

function pool(builder: GraphBuilder, x: Value | undefined, kernel: Pair, strides: Pair): Value {
  return builder.op('MaxPool', [x], { kernel_shape: { ints: kernel }, strides: { ints: strides } });
}

const windows: readonly [string, number[], Pair, Pair][] = [
  ['2x2 that divide the image', [2, 3, 4, 6], [2, 2], [2, 2]],
  ['2x2 of 13x13, the last row and column in none of them', [2, 2, 13, 13], [2, 2], [2, 2]],
  ['3x2', [1, 2, 10, 7], [3, 2], [3, 2]],
  ['one window, the whole image', [3, 2, 4, 5], [4, 5], [4, 5]],
  ['strides longer than the window', [1, 2, 11, 9], [2, 2], [3, 4]],
  ['windows of one pixel', [1, 2, 3, 3], [1, 1], [1, 1]],
];

for (const [title, shape, kernel, strides] of windows)
  t.test(`MaxPool gives each window's gradient to its maximum: ${title}`, async (t) => {
    await matchesReference(t, `[${shape}]`, {
      inputs: { x: image(1, ...shape) },
      samples: 400,
      graph: (builder, { x }) => pool(builder, x, kernel, strides),
      reference: ({ x }) => maxPool(x as Array64, kernel, strides),
    });
  });

t.test('MaxPool after Relu, and one pool after another, compose', async (t) => {
  await matchesReference(t, 'relu, pool, pool', {
    inputs: { x: image(2, 2, 3, 13, 9) },
    samples: 400,
    graph: (builder, { x }) =>
      pool(builder, pool(builder, builder.op('Relu', [x]), [2, 2], [2, 2]), [2, 2], [2, 2]),
    reference: ({ x }) => maxPool(maxPool(relu(x as Array64), [2, 2], [2, 2]), [2, 2], [2, 2]),
  });
});

t.test('a value that is the input of two pools gets the gradients of both', async (t) => {
  await matchesReference(t, '2x2 and 4x4', {
    inputs: { x: image(3, 1, 2, 8, 8) },
    samples: 400,
    graph: (builder, { x }) => {
      const wide = pool(builder, pool(builder, x, [2, 2], [2, 2]), [2, 2], [2, 2]);
      return builder.op('Add', [wide, pool(builder, x, [4, 4], [4, 4])]);
    },
    reference: ({ x }) => {
      const { shape, data } = maxPool(x as Array64, [4, 4], [4, 4]);
      return { shape, data: data.map((value) => 2 * value) };
    },
  });
});

const shared: readonly [string, number[], Pair, Pair, PoolSettings][] = [
  ['the stem of a ResNet', [2, 3, 9, 8], [3, 3], [2, 2], { pads: [1, 1, 1, 1] }],
  ['those of a SqueezeNet, a last one over the end', [2, 2, 8, 10], [3, 3], [2, 2], { ceil: true }],
  ['side by side, a last one over the end', [2, 2, 5, 7], [2, 2], [2, 2], { ceil: true }],
  ['a step of one pixel', [1, 2, 6, 5], [3, 2], [1, 1], {}],
  ['overlapping along the width alone', [1, 2, 6, 7], [2, 3], [2, 2], {}],
  ['uneven pads', [1, 2, 7, 6], [2, 2], [2, 2], { pads: [0, 1, 1, 0] }],
  ['dilated', [1, 2, 9, 8], [2, 3], [2, 1], { dilations: [2, 2] }],
];

for (const [title, shape, kernel, strides, settings] of shared)
  t.test(`MaxPool adds up the gradients of windows that share their maximum: ${title}`, async (t) => {
    const { pads = [0, 0, 0, 0], dilations = [1, 1], ceil } = settings;
    await matchesReference(t, `[${shape}]`, {
      inputs: { x: image(5, ...shape) },
      samples: 400,
      graph: (builder, { x }) =>
        builder.op('MaxPool', [x], {
          kernel_shape: { ints: kernel },
          strides: { ints: strides },
          pads: { ints: pads },
          dilations: { ints: dilations },
          ceil_mode: { int: ceil ? 1 : 0 },
        }),
      reference: ({ x }) => maxPool(x as Array64, kernel, strides, settings),
    });
  });

t.test('among equal pixels in overlapping windows, the first of each window gets its gradient', async (t) => {
  const builder = new GraphBuilder('ties');
  const x = builder.input('x', [1, 1, 1, 5]);
  const y = builder.op('MaxPool', [x], { kernel_shape: { ints: [1, 3] }, strides: { ints: [1, 1] } });
  const loss = builder.op('ReduceSum', [y], { keepdims: { int: 0 } });
  const { graph, gradients } = differentiate(builder.build(), loss.name, ['x']);
  const extended = GraphBuilder.from(graph);
  extended.output(extended.value(gradients.get('x')?.name ?? ''), 'dx');
  const { dx } = await runGraph(lower(extended.build()), { x: Float64Array.of(7, 7, 7, 7, 1) });
  t.strictSame(floats(dx), Float64Array.of(1, 1, 1, 0, 0));
});

t.test('GlobalAveragePool spreads the gradient evenly', async (t) => {
  for (const shape of [
    [2, 3, 4, 5],
    [1, 1, 7, 7],
    [2, 2, 1, 1],
  ])
    await matchesReference(t, `[${shape}]`, {
      inputs: { x: values(mulberry32(1), ...shape) },
      graph: (builder, { x }) => builder.op('GlobalAveragePool', [x]),
      reference: ({ x }) => globalAveragePool(x as Array64),
    });
});
