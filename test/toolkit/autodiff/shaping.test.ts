// Gradients of operators that move, repeat or add up elements, against float64.
import t from 'tap';
import type { GraphBuilder } from '../../../src/toolkit/graph/builder.js';
import type { Value } from '../../../src/toolkit/graph/graph.js';
import { type Array64, flatten, sum64 } from '../../helpers/float64-reference.js';
import { matchesReference, values } from '../../helpers/gradient-check.js';
import { mulberry32 } from '../../helpers/seeded-values.js';

async function check(
  t: Parameters<typeof matchesReference>[0],
  shape: readonly number[],
  graph: (builder: GraphBuilder, x: Value) => Value,
  reference: (x: Array64) => Array64,
): Promise<void> {
  await matchesReference(t, `[${shape}]`, {
    inputs: { x: values(mulberry32(shape.length), ...shape) },
    graph: (builder, { x }) => graph(builder, x as Value),
    reference: ({ x }) => reference(x as Array64),
  });
}

t.test('Reshape gives the gradient the shape of the input', async (t) => {
  const targets: readonly [number[], number[], number[]][] = [
    [
      [2, 3, 4],
      [6, 4],
      [6, 4],
    ],
    [
      [2, 3, 4],
      [0, -1],
      [2, 12],
    ],
    [[6], [1, 6, 1], [1, 6, 1]],
    [[1, 1], [], []],
  ];
  for (const [from, target, to] of targets)
    await check(
      t,
      from,
      (builder, x) => builder.op('Reshape', [x, builder.integers(target)]),
      ({ data }) => ({ shape: to, data }),
    );
});

t.test('Flatten gives the gradient the shape of the input', async (t) => {
  await check(t, [2, 3, 4, 5], (builder, x) => builder.op('Flatten', [x]), flatten);
});

t.test('Transpose gives the gradient the inverse permutation', async (t) => {
  const cases: readonly [number[], number[] | undefined][] = [
    [[3, 5], undefined],
    [[2, 3, 4], undefined],
    [
      [2, 3, 4],
      [1, 2, 0],
    ],
    [
      [2, 3, 4, 5],
      [3, 0, 2, 1],
    ],
  ];
  for (const [shape, perm] of cases)
    await check(
      t,
      shape,
      (builder, x) => builder.op('Transpose', [x], perm && { perm: { ints: perm } }),
      (x) => transpose(x, perm ?? shape.map((_, i) => shape.length - 1 - i)),
    );
});

const reductions: readonly [number[], number[] | undefined][] = [
  [[3, 4], [0]],
  [[3, 4], [1]],
  [[3, 4], [-1]],
  [
    [2, 3, 4],
    [0, 2],
  ],
  [
    [2, 3, 4],
    [-3, 1],
  ],
  [[2, 3, 4], undefined],
  [[2, 3, 4], []],
];

for (const [op, what] of [
  ['ReduceSum', 'the gradient of its sum'],
  ['ReduceMean', 'its share of the gradient of its mean'],
] as const)
  t.test(`${op} gives every element ${what}, whether or not the axes are kept`, async (t) => {
    for (const [shape, axes] of reductions)
      for (const keepdims of [0, 1])
        await check(
          t,
          shape,
          (builder, x) =>
            op === 'ReduceSum'
              ? builder.op(op, [x, axes && builder.integers(axes)], { keepdims: { int: keepdims } })
              : builder.op(op, [x], {
                  keepdims: { int: keepdims },
                  ...(axes?.length && { axes: { ints: axes } }),
                }),
          (x) => {
            const summed = reduceSum(x, axes?.length ? axes : shape.map((_, axis) => axis), keepdims === 1);
            const each = op === 'ReduceSum' ? 1 : x.data.length / summed.data.length;
            return { ...summed, data: summed.data.map((sum) => sum / each) };
          },
        );
  });

t.test('a chain of such operators composes', async (t) => {
  await check(
    t,
    [2, 3, 4],
    (builder, x) => {
      const turned = builder.op('Transpose', [x], { perm: { ints: [2, 0, 1] } });
      const flat = builder.op('Reshape', [turned, builder.integers([4, -1])]);
      return builder.op('ReduceSum', [flat, builder.integers([0])], { keepdims: { int: 0 } });
    },
    (x) => reduceSum({ shape: [4, 6], data: transpose(x, [2, 0, 1]).data }, [0], false),
  );
});

/** The index of every element, in row-major order. */
function indices(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (known, dim) => known.flatMap((index) => Array.from({ length: dim }, (_, i) => [...index, i])),
    [[]],
  );
}

function offset(shape: readonly number[], index: readonly number[]): number {
  return shape.reduce((sum, dim, axis) => sum * dim + (index[axis] ?? 0), 0);
}

function transpose({ shape, data }: Array64, perm: readonly number[]): Array64 {
  const turned = perm.map((axis) => shape[axis] ?? 0);
  const source = (index: readonly number[]) => shape.map((_, axis) => index[perm.indexOf(axis)] ?? 0);
  const moved = indices(turned).map((index) => data[offset(shape, source(index))] as number);
  return { shape: turned, data: Float64Array.from(moved) };
}

function reduceSum({ shape, data }: Array64, axes: readonly number[], keep: boolean): Array64 {
  const reduced = axes.map((axis) => (axis < 0 ? axis + shape.length : axis));
  const kept = shape.map((dim, axis) => (reduced.includes(axis) ? 1 : dim));
  const sums = indices(kept).map((target) => {
    const same = (index: number[]) => index.every((i, axis) => reduced.includes(axis) || i === target[axis]);
    return sum64(data.filter((_, position) => same(indices(shape)[position] ?? [])));
  });
  return {
    shape: keep ? kept : shape.filter((_, axis) => !reduced.includes(axis)),
    data: Float64Array.from(sums),
  };
}
