// The refusals of differentiate, and how it joins rules: several uses, several parts of a loss, deep networks.
import t from 'tap';
import { differentiate } from '../../../src/toolkit/autodiff/differentiate.js';
import { GraphBuilder } from '../../../src/toolkit/graph/builder.js';
import type { Graph, Value } from '../../../src/toolkit/graph/graph.js';
import type { Operator } from '../../../src/toolkit/graph/shape-inference.js';
import { lower } from '../../../src/toolkit/lowering/lower.js';
import { type Array64, conv2d, maxPool, relu } from '../../helpers/float64-reference.js';
import { gradientOf, matchesReference, values } from '../../helpers/gradient-check.js';
import { runGraph } from '../../helpers/run-graph.js';
import { mulberry32 } from '../../helpers/seeded-values.js';

function total(builder: GraphBuilder, x: Value | undefined): Value {
  return builder.op('ReduceSum', [x], { keepdims: { int: 0 } });
}

/** loss = the sum of what `make` gives, of an input x [1, 2, 4, 4]. */
function lossGraph(make: (builder: GraphBuilder, x: Value) => Value): { graph: Graph; loss: string } {
  const builder = new GraphBuilder('refused');
  const loss = total(builder, make(builder, builder.input('x', [1, 2, 4, 4])));
  builder.output(loss, 'loss');
  return { graph: builder.build(), loss: 'loss' };
}

const withoutRule: readonly [Operator, (builder: GraphBuilder, x: Value) => (Value | undefined)[], string][] =
  [
    ['Dropout', (_, x) => [x], 'Quati has no rule for it'],
    ['ReluGrad', (_, x) => [x, x], 'it is a gradient, and second derivatives are not supported'],
    [
      'QuantizeLinear',
      (builder, x) => [x, builder.scalar(0.1), builder.shared('zero', () => int8Scalar)],
      'small changes of its input do not change its result',
    ],
  ];
const int8Scalar = { dataType: 'int8', dims: [], bytes: new Uint8Array(1) } as const;

for (const [op, inputs, reason] of withoutRule)
  t.test(`${op} has no gradient: the error names it, its node and the reason`, async (t) => {
    const { graph, loss } = lossGraph((builder, x) => {
      const attributes = { kernel_shape: { ints: [2, 2] } };
      const [y] = builder.ops(op, inputs(builder, x), 1, { name: 'the_node', attributes });
      return y as Value;
    });
    t.throws(() => differentiate(graph, loss, ['x']), {
      name: 'UnsupportedOperatorError',
      message: `${op} the_node: has no gradient: ${reason}`,
    });
  });

t.test('an operator without a rule is accepted if the loss does not depend on it', async (t) => {
  const { graph, loss } = lossGraph((builder, x) => {
    builder.op('Dropout', [x]);
    return x;
  });
  t.ok(differentiate(graph, loss, ['x']).gradients.has('x'));
});

t.test('an operator is refused if the loss depends on its second output', async (t) => {
  const part = (index: 0 | 1) => (builder: GraphBuilder, x: Value) =>
    builder.ops('Split', [x, builder.integers([1, 1])], 2, {
      name: 'halves',
      attributes: { axis: { int: 1 } },
    })[index] as Value;
  const refused = {
    name: 'UnsupportedOperatorError',
    message: 'Split halves: has no gradient: the loss may depend only on its first output',
  };
  const { graph, loss } = lossGraph(part(1));
  t.throws(() => differentiate(graph, loss, ['x']), refused);
  const beside = lossGraph((builder, x) => builder.op('Mul', [x, part(1)(builder, x)]));
  t.throws(() => differentiate(beside.graph, beside.loss, ['x']), refused, 'also when x is used elsewhere');
});

t.test('a loss that is not a scalar is refused with its shape', async (t) => {
  const builder = new GraphBuilder('vector');
  builder.output(builder.op('Relu', [builder.input('x', [3])]), 'y');
  t.throws(() => differentiate(builder.build(), 'y', ['x']), {
    name: 'GraphError',
    message: 'y: loss: expected a scalar, got [3]',
  });
});

t.test('a loss or a value that does not exist is refused by its name', async (t) => {
  const { graph, loss } = lossGraph((_, x) => x);
  t.throws(() => differentiate(graph, 'lost', ['x']), { name: 'GraphError', message: /has no value lost/ });
  t.throws(() => differentiate(graph, loss, ['w']), { name: 'GraphError', message: /depend on w/ });
});

t.test('a value that the loss does not depend on is refused, with both names', async (t) => {
  const builder = new GraphBuilder('independent');
  const loss = builder.output(total(builder, builder.input('x', [3])), 'loss');
  builder.op('Neg', [builder.input('unused', [3])]);
  t.throws(() => differentiate(builder.build(), loss.name, ['x', 'unused']), {
    name: 'GraphError',
    message: 'loss does not depend on unused',
  });
});

t.test('a value with several uses gets the sum of their gradients', async (t) => {
  const x = [0.5, -1.5, 2];
  const cubed = await gradientOf(x, (builder, x) => builder.op('Mul', [builder.op('Mul', [x, x]), x]));
  t.same(
    [...cubed],
    x.map((value) => 3 * value ** 2),
  );
  const doubled = await gradientOf(x, (builder, x) => builder.op('Add', [x, x]));
  t.same([...doubled], [2, 2, 2]);
  const nothing = await gradientOf(x, (builder, x) => builder.op('Sub', [x, x]));
  t.same([...nothing], [0, 0, 0]);
});

t.test('values in the middle of the graph have gradients, too, and the outputs stay', async (t) => {
  const builder = new GraphBuilder('middle');
  const x = builder.input('x', [2]);
  const [squared] = builder.ops('Mul', [x, x], 1, { outputs: ['squared'] });
  builder.output(total(builder, builder.op('Mul', [squared, squared])), 'loss');
  const { graph, gradients } = differentiate(builder.build(), 'loss', ['squared', 'x']);
  t.same(
    graph.outputs.map(({ name }) => name),
    ['loss'],
  );
  const extended = GraphBuilder.from(graph);
  for (const name of ['squared', 'x'])
    extended.output(extended.value(gradients.get(name)?.name ?? ''), `d${name}`);
  const { dsquared, dx } = await runGraph(lower(extended.build()), { x: Float32Array.of(2, 3) });
  t.same(dsquared?.data, Float32Array.of(8, 18));
  t.same(dx?.data, Float32Array.of(32, 108));
});

t.test('a network of nine layers: names and shapes hold, and gradients match float64', async (t) => {
  const random = mulberry32(9);
  const weights = Object.fromEntries(
    Array.from({ length: 9 }, (_, i) => [`w${i}`, values(random, 2, 2, 3, 3)] as const),
  );
  const names = Object.keys(weights);
  await matchesReference(t, 'nine convolutions', {
    samples: 10,
    inputs: { x: values(random, 1, 2, 8, 8), ...weights },
    graph: (builder, inputs) => {
      const same = { pads: { ints: [1, 1, 1, 1] } };
      const pool = { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } };
      const deep = names.reduce(
        (x, name) => builder.op('Relu', [builder.op('Conv', [x, inputs[name]], same)]),
        inputs.x as Value,
      );
      return builder.op('MaxPool', [deep], pool);
    },
    reference: (inputs) => {
      const deep = names.reduce(
        (x, name) => relu(conv2d(x, inputs[name] as Array64, undefined, { pads: [1, 1, 1, 1] })),
        inputs.x as Array64,
      );
      return maxPool(deep, [2, 2], [2, 2]);
    },
  });
});
