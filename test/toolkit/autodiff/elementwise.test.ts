// Gradients of operators that work element by element, or only move elements, against float64.
import t from 'tap';
import type { Attributes } from '../../../src/toolkit/graph/graph.js';
import type { Operator } from '../../../src/toolkit/graph/shape-inference.js';
import { type Array64, array64, logSoftmax, relu } from '../../helpers/float64-reference.js';
import { gradientOf, matchesReference, values } from '../../helpers/gradient-check.js';
import { distinct, mulberry32, uniform } from '../../helpers/seeded-values.js';

type Binary = (a: number, b: number) => number;

const binary: readonly [Operator, Binary][] = [
  ['Add', (a, b) => a + b],
  ['Sub', (a, b) => a - b],
  ['Mul', (a, b) => a * b],
  ['Div', (a, b) => a / b],
];
const shapePairs: readonly [number[], number[]][] = [
  [
    [3, 4],
    [3, 4],
  ],
  [[3, 4], [4]],
  [[4], [3, 4]],
  [[3, 4], []],
  [[], []],
  [
    [2, 3, 4, 5],
    [3, 1, 1],
  ],
  [
    [2, 3, 1, 5],
    [1, 3, 4, 1],
  ],
  [
    [1, 1],
    [1, 4],
  ],
];

for (const [op, f] of binary)
  t.test(`${op}: gradients sum over the axes along which an input was repeated`, async (t) => {
    for (const [seed, [a, b]] of shapePairs.entries()) {
      const random = mulberry32(seed);
      // Divisors stay in 0.5…1.5, away from the pole.
      const inputs = { a: values(random, ...a), b: array64(b, uniform(random, size(b), 0.5, 1.5)) };
      await matchesReference(t, `[${a}] and [${b}]`, {
        inputs,
        graph: (builder, { a, b }) => builder.op(op, [a, b]),
        reference: ({ a, b }) => broadcast(f, a as Array64, b as Array64),
      });
    }
  });

const unary: readonly [Operator, (x: Array64) => Array64, Attributes?][] = [
  ['Neg', map((x) => -x)],
  ['Exp', map(Math.exp)],
  ['Identity', map((x) => x)],
  ['Relu', relu],
  ['LogSoftmax', logSoftmax, { axis: { int: 1 } }],
  ['LogSoftmax', logSoftmax],
];

for (const [op, reference, attributes = {}] of unary)
  t.test(`${op} ${JSON.stringify(attributes)} passes its gradient back`, async (t) => {
    for (const shape of [
      [7, 10],
      [1, 3],
      [40, 2],
    ])
      await matchesReference(t, `[${shape}]`, {
        inputs: { x: array64(shape, distinct(mulberry32(1), size(shape))) },
        graph: (builder, { x }) => builder.op(op, [x], attributes),
        reference: ({ x }) => reference(x as Array64),
      });
  });

t.test('LogSoftmax stays exact far from zero, where exp alone would overflow', async (t) => {
  const x = array64([2, 3], [200, 199, 198.5, -300, -301, -299.5]);
  await matchesReference(t, 'logits of 200 and -300', {
    inputs: { x },
    graph: (builder, { x }) => builder.op('LogSoftmax', [x]),
    reference: ({ x }) => logSoftmax(x as Array64),
  });
});

t.test('Sqrt divides its gradient by twice the root', async (t) => {
  await matchesReference(t, 'of 0.1…4', {
    inputs: { x: array64([5, 6], uniform(mulberry32(1), 30, 0.1, 4)) },
    graph: (builder, { x }) => builder.op('Sqrt', [x]),
    reference: ({ x }) => map(Math.sqrt)(x as Array64),
  });
});

t.test('the gradient of Relu is 0 for inputs of 0, like for negative inputs', async (t) => {
  const gradient = await gradientOf([-2, -0, 0, 1e-20, 3], (builder, x) => builder.op('Relu', [x]));
  t.same([...gradient], [0, 0, 0, 1, 1]);
});

function size(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

function map(f: (x: number) => number): (x: Array64) => Array64 {
  return ({ shape, data }) => ({ shape, data: data.map((value) => f(value)) });
}

function broadcast(f: Binary, a: Array64, b: Array64): Array64 {
  const rank = Math.max(a.shape.length, b.shape.length);
  const dim = (x: Array64, axis: number) => x.shape[x.shape.length - rank + axis] ?? 1;
  const shape = Array.from({ length: rank }, (_, axis) => Math.max(dim(a, axis), dim(b, axis)));
  const pick = (x: Array64, position: number) => {
    let [rest, stride, offset] = [position, 1, 0];
    for (let axis = rank - 1; axis >= 0; axis--) {
      const size = shape[axis] as number;
      if (dim(x, axis) > 1) {
        offset += (rest % size) * stride;
        stride *= size;
      }
      rest = Math.floor(rest / size);
    }
    return x.data[offset] as number;
  };
  const data = Float64Array.from({ length: size(shape) }, (_, i) => f(pick(a, i), pick(b, i)));
  return { shape, data };
}
