// The refusals of the builder, and its names.
import t from 'tap';
import { GraphBuilder, staticShape } from '../../../src/toolkit/graph/builder.js';
import { consumers, producers, type Value } from '../../../src/toolkit/graph/graph.js';
import { inferTypes } from '../../../src/toolkit/graph/shape-inference.js';
import { float32Tensor } from '../../../src/toolkit/graph/tensor-data.js';

t.test('a name that is in use is refused, whatever uses it', async (t) => {
  const builder = new GraphBuilder('twice');
  const x = builder.input('x', [2]);
  builder.initializer('w', float32Tensor([1, 2], [2]));
  builder.ops('Relu', [x], 1, { outputs: ['y'] });
  for (const name of ['x', 'w', 'y']) {
    const message = `twice: ${name} is defined twice`;
    t.throws(() => builder.input(name, [1]), { name: 'GraphError', message });
    t.throws(() => builder.initializer(name, float32Tensor([], [0])), { name: 'GraphError', message });
    t.throws(() => builder.ops('Neg', [x], 1, { outputs: [name] }), { name: 'GraphError', message });
  }
});

t.test('a refused operator leaves no trace in the graph', async (t) => {
  const builder = new GraphBuilder('trace');
  const x = builder.input('x', [2]);
  t.throws(() => builder.initializer('x', float32Tensor([1], [1])));
  t.throws(() => builder.ops('Neg', [x], 1, { outputs: ['x'] }));
  const graph = builder.build();
  t.equal(graph.initializers.size, 0);
  t.same(graph.nodes, []);
});

t.test('generated names are unique and differ from given names', async (t) => {
  const builder = new GraphBuilder('names', ['Relu_3']);
  let x = builder.input('Relu_0', [2, 2]);
  builder.input('Relu_2', [1]);
  for (let i = 0; i < 5; i++) x = builder.op('Relu', [x]);
  builder.ops('Split', [x, builder.integers([1, 1])], 2);
  builder.ops('Split', [x, builder.integers([1, 1])], 2);
  const { nodes } = builder.build();
  const outputs = nodes.flatMap((node) => node.outputs);
  t.equal(new Set(['Relu_0', 'Relu_2', 'Relu_3', ...outputs]).size, outputs.length + 3);
  t.equal(new Set(nodes.map(({ name }) => name)).size, nodes.length);
});

t.test('only equal constants are shared', async (t) => {
  const builder = new GraphBuilder('constants');
  t.equal(builder.scalar(1).name, builder.scalar(1).name);
  t.equal(builder.integers([1, 2]).name, builder.integers([1, 2]).name);
  const names = [
    builder.scalar(1),
    builder.scalar(-1),
    builder.integers([1]),
    builder.floats([1], [1]),
    builder.floats([1], [1, 1]),
    builder.integers([]),
  ].map(({ name }) => name);
  t.equal(new Set(names).size, names.length);
});

type Build = (builder: GraphBuilder, input: (...shape: (number | string)[]) => Value) => unknown;

const refused: readonly [title: string, build: Build, message: string][] = [
  [
    'a convolution over other channels',
    (b, x) => b.ops('Conv', [x('N', 8, 9, 9), x(4, 16, 3, 3)], 1, { name: 'c1' }),
    'Conv c1: weight channels (dim 1): expected 8, got 16',
  ],
  [
    'a kernel larger than the image',
    (b, x) => b.ops('Conv', [x(1, 1, 4, 4), x(1, 1, 5, 5)], 1, { name: 'c1' }),
    'Conv c1: a kernel of 5x5 does not fit into [1, 1, 4, 4]',
  ],
  [
    'an image without channels',
    (b, x) => b.ops('MaxPool', [x(4, 4)], 1, { name: 'p', attributes: { kernel_shape: { ints: [2, 2] } } }),
    'MaxPool p: expected an input [N, C, H, W], got [4, 4]',
  ],
  [
    'a window without a kernel',
    (b, x) => b.ops('MaxPool', [x(1, 1, 4, 4)], 1, { name: 'p' }),
    'MaxPool p: expected a kernel of two dimensions',
  ],
  [
    'automatic pads',
    (b, x) =>
      b.ops('Conv', [x(1, 1, 4, 4), x(1, 1, 3, 3)], 1, {
        name: 'c1',
        attributes: { auto_pad: { string: 'SAME_UPPER' } },
      }),
    'Conv c1: auto_pad SAME_UPPER is not supported; state the pads',
  ],
  [
    'a bias of another length',
    (b, x) => b.ops('Conv', [x(1, 1, 4, 4), x(6, 1, 3, 3), x(5)], 1, { name: 'c1' }),
    'Conv c1: bias: expected [6], got [5]',
  ],
  [
    'a transposed convolution over other channels',
    (b, x) => b.ops('ConvTranspose', [x(1, 3, 4, 4), x(2, 5, 3, 3)], 1, { name: 't' }),
    'ConvTranspose t: weight channels (dim 0): expected 3, got 2',
  ],
  [
    'matrices that do not meet',
    (b, x) => b.ops('Gemm', [x('N', 3), x(5, 4)], 1, { name: 'g', attributes: { transB: { int: 1 } } }),
    'Gemm g: inner dimensions of float32[N, 3] and float32[5, 4] differ',
  ],
  [
    'a Gemm bias that does not broadcast',
    (b, x) => b.ops('Gemm', [x('N', 3), x(3, 4), x(5)], 1, { name: 'g' }),
    'Gemm g: [N, 4] and [5] do not broadcast',
  ],
  [
    'a product of other sizes',
    (b, x) => b.ops('MatMul', [x(2, 3), x(4, 5)], 1, { name: 'm' }),
    'MatMul m: cannot multiply [2, 3] by [4, 5]',
  ],
  [
    'shapes that do not broadcast',
    (b, x) => b.ops('Add', [x(2, 3), x(2)], 1, { name: 'a' }),
    'Add a: [2, 3] and [2] do not broadcast',
  ],
  [
    'a reshape to another size',
    (b, x) => b.ops('Reshape', [x(2, 3), b.integers([4, -1])], 1, { name: 'r' }),
    'Reshape r: [2, 3] cannot be reshaped to [4, -1]',
  ],
  [
    'parts that do not add up',
    (b, x) => b.ops('Split', [x(5), b.integers([2, 2])], 2, { name: 's' }),
    'Split s: the parts add up to 4, but the axis holds 5',
  ],
  [
    'a concatenation of other shapes',
    (b, x) => b.ops('Concat', [x(1, 2, 3), x(1, 2, 4)], 1, { name: 'c', attributes: { axis: { int: 1 } } }),
    'Concat c: input 1: expected [1, 2, 3] except on axis 1, got [1, 2, 4]',
  ],
  [
    'a sum over an axis that is not there',
    (b, x) => b.ops('ReduceSum', [x(2, 3), b.integers([2])], 1, { name: 's' }),
    'ReduceSum s: axes 2 do not all exist in [2, 3]',
  ],
  [
    'a sum over an axis before the first',
    (b, x) => b.ops('ReduceSum', [x(2, 3), b.integers([-3])], 1, { name: 's' }),
    'ReduceSum s: axes -3 do not all exist in [2, 3]',
  ],
  [
    'a permutation of other axes',
    (b, x) => b.ops('Transpose', [x(2, 3)], 1, { name: 't', attributes: { perm: { ints: [0, 2] } } }),
    'Transpose t: perm: expected each of 2 axes once, got [0, 2]',
  ],
  ['a missing input', (b) => b.ops('Relu', [undefined], 1, { name: 'r' }), 'Relu r: input 0 is missing'],
  [
    'a shape that is only known when it runs',
    (b, x) => {
      const shape = b.input('shape', [2], 'int64');
      b.ops('Reshape', [x(2, 3), shape], 1, { name: 'r' });
    },
    'Reshape r: input 1 (shape): expected a constant',
  ],
  [
    'more outputs than there are',
    (b, x) => b.ops('Relu', [x(2)], 2, { name: 'r' }),
    'Relu r: has no output 1',
  ],
  ['a value that is not there', (b) => b.value('lost'), 'refusals: has no value lost'],
];

for (const [title, build, message] of refused)
  t.test(`${title} is refused, with operator, expected and actual value`, async (t) => {
    const builder = new GraphBuilder('refusals');
    let count = 0;
    const input = (...shape: (number | string)[]) => builder.input(`x${count++}`, shape);
    t.throws(() => build(builder, input), { name: 'GraphError', message });
  });

t.test('an unknown operator is refused by its name', async (t) => {
  const builder = new GraphBuilder('unknown');
  const x = builder.input('x', [2]);
  const node = { op: 'Gelu', domain: '', name: 'g', inputs: [x.name], outputs: ['y'], attributes: {} };
  t.throws(() => builder.append(node), {
    name: 'UnsupportedOperatorError',
    message: 'Gelu g: Quati has no shape rule for this operator',
  });
});

t.test('a dynamic batch keeps its name through a network', async (t) => {
  const builder = new GraphBuilder('symbolic');
  const x = builder.input('x', ['N', 3, 8, 8]);
  const w = builder.input('w', [4, 3, 3, 3]);
  const pool = { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } };
  const pooled = builder.op('MaxPool', [builder.op('Conv', [x, w])], pool);
  const shapeOf = (value: Value) => value.type.shape;
  t.same(shapeOf(pooled), ['N', 4, 3, 3]);
  t.same(shapeOf(builder.op('Add', [pooled, builder.scalar(1)])), ['N', 4, 3, 3]);
  const flat = builder.op('Flatten', [pooled]);
  t.same(shapeOf(flat), ['N', 36]);
  t.same(shapeOf(builder.op('Gemm', [flat, builder.input('d', [36, 10])])), ['N', 10]);
  t.same(shapeOf(builder.op('Reshape', [pooled, builder.integers([0, -1])])), ['N', 36]);
  t.same(shapeOf(builder.op('GlobalAveragePool', [pooled])), ['N', 4, 1, 1]);
  t.same(shapeOf(builder.op('Transpose', [flat])), [36, 'N']);
  t.same(shapeOf(builder.op('ArgMax', [flat], { axis: { int: 1 }, keepdims: { int: 0 } })), ['N']);
  t.throws(() => staticShape(flat), {
    message: `${flat.name}: expected a number for dimension N of [N, 36]`,
  });
});

t.test('a builder can continue an existing graph with the same values', async (t) => {
  const builder = new GraphBuilder('first');
  const x = builder.input('x', ['N', 2]);
  const w = builder.initializer('w', float32Tensor([1, 2], [2]));
  builder.output(builder.op('Mul', [x, w]), 'y');
  const graph = builder.build();
  const next = GraphBuilder.from(graph);
  next.output(next.op('Relu', [next.value('y')]), 'z');
  const extended = next.build();
  t.same(extended.nodes.slice(0, 2), graph.nodes);
  t.same(
    extended.outputs.map(({ name }) => name),
    ['z'],
    'outputs are declared anew',
  );
  t.equal(next.constantData('w'), graph.initializers.get('w'));
  t.equal(next.constantData('x'), undefined);
  t.same(inferTypes({ ...extended, types: new Map() }), extended);
});

t.test('the producer and the consumers of a value are known', async (t) => {
  const builder = new GraphBuilder('readers');
  const x = builder.input('x', [2]);
  const [y] = builder.ops('Mul', [x, x], 1, { outputs: ['y'] });
  builder.ops('Add', [x, y], 1, { outputs: ['z'] });
  const graph = builder.build();
  t.equal(producers(graph).get('y')?.op, 'Mul');
  t.equal(producers(graph).get('x'), undefined);
  t.same(
    consumers(graph)
      .get('x')
      ?.map(({ op }) => op),
    ['Mul', 'Add'],
    'a node that reads a value twice counts once',
  );
});

t.test('data whose length differs from its shape is refused', async (t) => {
  t.throws(() => float32Tensor([1, 2, 3], [2, 2]), {
    name: 'GraphError',
    message: '[2, 2] holds 4 values, got 3',
  });
});
