// Gradients of the pools against float64. Inputs are distinct, so that no window has two maxima.
import t from 'tap';
import { differentiate } from '../../../src/toolkit/autodiff/differentiate.js';
import { GraphBuilder } from '../../../src/toolkit/graph/builder.js';
import type { Value } from '../../../src/toolkit/graph/graph.js';
import { lower } from '../../../src/toolkit/lowering/lower.js';
import { type Array64, array64, globalAveragePool, maxPool, relu } from '../../helpers/float64-reference.js';
import { matchesReference, values } from '../../helpers/gradient-check.js';
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

t.test('a value that two pools read gets the gradients of both', async (t) => {
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

const refused: readonly [string, Record<string, { ints: number[] }>][] = [
  ['overlap', { kernel_shape: { ints: [3, 3] }, strides: { ints: [2, 2] } }],
  ['overlap along the width', { kernel_shape: { ints: [2, 3] }, strides: { ints: [2, 2] } }],
  ['overlap, the stride being 1 by default', { kernel_shape: { ints: [2, 2] } }],
  ['have pads', { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] }, pads: { ints: [1, 1, 1, 1] } }],
  ['are dilated', { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] }, dilations: { ints: [2, 2] } }],
];

for (const [title, attributes] of refused)
  t.test(`MaxPool has no gradient for windows that ${title}, and says so`, async (t) => {
    const builder = new GraphBuilder('refused');
    const x = builder.input('x', [1, 1, 8, 8]);
    const y = builder.ops('MaxPool', [x], 1, { name: 'pool1', attributes })[0] as Value;
    const loss = builder.op('ReduceSum', [y], { keepdims: { int: 0 } });
    const { graph, gradients } = differentiate(builder.build(), loss.name, ['x']);
    t.ok(gradients.has('x'));
    t.throws(() => lower(graph), {
      name: 'UnsupportedOperatorError',
      message: /^MaxPool pool1: has a gradient only for windows that do not overlap/,
    });
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
