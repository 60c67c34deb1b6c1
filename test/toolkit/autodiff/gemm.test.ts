// Gradients of Gemm, in its four forms, against float64.
import t from 'tap';
import type { Value } from '../../../src/toolkit/graph/graph.js';
import { type Array64, array64, dense } from '../../helpers/float64-reference.js';
import { matchesReference, values } from '../../helpers/gradient-check.js';
import { mulberry32 } from '../../helpers/seeded-values.js';

const sizes: readonly [rows: number, inner: number, columns: number][] = [
  [3, 4, 5],
  [1, 7, 2],
  [8, 1, 1],
  [6, 30, 10],
];

for (const transA of [0, 1])
  for (const transB of [0, 1])
    t.test(`Gemm with transA ${transA} and transB ${transB}: gradients of A, B and C`, async (t) => {
      for (const [rows, inner, columns] of sizes)
        for (const bias of [[columns], [1, columns], [rows, columns], [rows, 1], [], undefined]) {
          const random = mulberry32(rows * 8 + transA * 2 + transB);
          await matchesReference(t, `${rows}x${inner} times ${inner}x${columns} plus [${bias}]`, {
            inputs: {
              a: values(random, ...(transA ? [inner, rows] : [rows, inner])),
              b: values(random, ...(transB ? [columns, inner] : [inner, columns])),
              ...(bias && { c: values(random, ...bias) }),
            },
            graph: (builder, { a, b, c }) =>
              builder.op('Gemm', [a, b, c], { transA: { int: transA }, transB: { int: transB } }),
            reference: ({ a, b, c }) => {
              const left = transA ? transposed(a as Array64) : (a as Array64);
              const right = transB ? (b as Array64) : transposed(b as Array64);
              return plus(dense(left, right, array64([0], [])), c);
            },
          });
        }
    });

t.test('a matrix times itself gets the sum of the gradients of both sides', async (t) => {
  await matchesReference(t, '4x4', {
    inputs: { a: values(mulberry32(1), 4, 4) },
    graph: (builder, { a }) => builder.op('Gemm', [a, a]),
    reference: ({ a }) => dense(a as Array64, transposed(a as Array64), array64([0], [])),
  });
});

t.test('Gemm with alpha or beta has no gradient: the error states both', async (t) => {
  for (const name of ['alpha', 'beta'])
    await t.rejects(
      matchesReference(t, name, {
        inputs: { a: values(mulberry32(1), 2, 2) },
        graph: (builder, { a }) =>
          builder.ops('Gemm', [a, a as Value], 1, {
            name: 'half',
            attributes: { [name]: { float: 0.5 } },
          })[0] as Value,
        reference: ({ a }) => a as Array64,
      }),
      {
        name: 'UnsupportedOperatorError',
        message: /^Gemm half: expected alpha and beta 1 for a gradient, got (0\.5 and 1|1 and 0\.5)$/,
      },
    );
});

function transposed({ shape, data }: Array64): Array64 {
  const [rows = 0, columns = 0] = shape;
  return array64(
    [columns, rows],
    Array.from(data, (_, i) => data[(i % rows) * columns + Math.floor(i / rows)] as number),
  );
}

/** c repeated along the rows, the columns or both. */
function plus(x: Array64, c: Array64 | undefined): Array64 {
  if (!c) return x;
  const [, columns = 0] = x.shape;
  const cColumns = c.shape.at(-1) ?? 1;
  const cRows = c.data.length / cColumns;
  const of = (i: number) =>
    c.data[
      (cRows === 1 ? 0 : Math.floor(i / columns)) * cColumns + (cColumns === 1 ? 0 : i % columns)
    ] as number;
  return { shape: x.shape, data: x.data.map((value, i) => value + of(i)) };
}
