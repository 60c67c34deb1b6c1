// Float graphs → the values that become integers, the source of their ranges, and the Relus that disappear.
import t from 'tap';
import { GraphBuilder } from '../../../src/toolkit/graph/builder.js';
import type { Graph, Value } from '../../../src/toolkit/graph/graph.js';
import { QuantisationError } from '../../../src/toolkit/quantisation/errors.js';
import { planQuantisation } from '../../../src/toolkit/quantisation/plan.js';
import { smallGraph } from '../../helpers/quantised-net.js';

/** Names of values are told; weights are all ones. */
class Net {
  readonly builder = new GraphBuilder('net');
  readonly image = this.builder.input('image', ['N', 2, 6, 6]);

  op(op: 'Relu' | 'MaxPool' | 'Flatten' | 'Identity' | 'Softmax', x: Value, name: string): Value {
    const window = { ints: [2, 2] };
    const attributes = op === 'MaxPool' ? { kernel_shape: window, strides: window } : {};
    return this.one(this.builder.ops(op, [x], 1, { outputs: [name], attributes }));
  }

  conv(x: Value, name: string): Value {
    const weight = this.builder.floats(new Array<number>(2 * 2).fill(1), [2, 2, 1, 1]);
    return this.one(this.builder.ops('Conv', [x, weight], 1, { outputs: [name] }));
  }

  gemm(x: Value, name: string): Value {
    const inputs = Number(x.type.shape[1]);
    const weight = this.builder.floats(new Array<number>(3 * inputs).fill(1), [3, inputs]);
    const attributes = { transB: { int: 1 } };
    return this.one(this.builder.ops('Gemm', [x, weight], 1, { outputs: [name], attributes }));
  }

  add(a: Value, b: Value, name: string): Value {
    return this.one(this.builder.ops('Add', [a, b], 1, { outputs: [name] }));
  }

  ending(...outputs: Value[]): Graph {
    for (const value of outputs) this.builder.output(value);
    return this.builder.build();
  }

  private one([value]: Value[]): Value {
    if (!value) throw new Error('the operator has no output');
    return value;
  }
}

t.test(
  'the inputs of Conv and Gemm and the output of Conv are quantised, but not the output of the last Gemm',
  (t) => {
    const net = new Net();
    const a = net.conv(net.image, 'a');
    const b = net.conv(a, 'b');
    const { quantised } = planQuantisation(net.ending(net.gemm(net.op('Flatten', b, 'flat'), 'c')));
    t.same(Object.fromEntries(quantised), { image: 'image', a: 'a', b: 'b', flat: 'b' });
    const ending = new Net();
    const last = planQuantisation(ending.ending(ending.op('Softmax', ending.conv(ending.image, 'a'), 'b')));
    t.same(Object.fromEntries(last.quantised), { image: 'image', a: 'a' });
    t.end();
  },
);

t.test('pooled and flattened values share the range of their source', (t) => {
  const net = new Net();
  const flat = net.op('Flatten', net.op('MaxPool', net.conv(net.image, 'conv'), 'pooled'), 'flat');
  const { quantised } = planQuantisation(net.ending(net.gemm(flat, 'scores')));
  t.same(Object.fromEntries(quantised), { image: 'image', conv: 'conv', pooled: 'conv', flat: 'conv' });
  t.end();
});

t.test('a Relu after a Conv or Gemm is absorbed into the range of its result', (t) => {
  const net = new Net();
  const a = net.op('Relu', net.conv(net.image, 'a'), 'a+');
  const b = net.op('Relu', net.gemm(net.op('Flatten', a, 'flat'), 'b'), 'b+');
  const { quantised, absorbed } = planQuantisation(net.ending(net.gemm(b, 'scores')));
  t.same(Object.fromEntries(absorbed), { 'a+': 'a', 'b+': 'b' });
  t.notOk(quantised.has('a'), 'what the Relu reads is not quantised');
  t.end();
});

t.test('a sum of two computed values runs as integers, and the Relu after it is absorbed', (t) => {
  const net = new Net();
  const a = net.conv(net.image, 'a');
  const sum = net.add(net.conv(a, 'b'), a, 'sum');
  const { quantised, absorbed } = planQuantisation(net.ending(net.conv(net.op('Relu', sum, 'sum+'), 'c')));
  t.same(Object.fromEntries(absorbed), { 'sum+': 'sum' });
  t.same([...quantised.keys()].sort(), ['a', 'b', 'c', 'image', 'sum+']);
  t.end();
});

t.test('a Relu stays after an operator that does not run as integers', (t) => {
  const net = new Net();
  const sum = net.add(net.conv(net.image, 'a'), net.builder.scalar(0.5), 'sum');
  const { quantised, absorbed } = planQuantisation(net.ending(net.conv(net.op('Relu', sum, 'sum+'), 'b')));
  t.equal(absorbed.size, 0);
  t.same([...quantised.keys()].sort(), ['a', 'b', 'image', 'sum+']);
  t.end();
});

t.test('a Clip that includes 0 is absorbed, and a Clip that a range cannot express stays', (t) => {
  for (const [low, high, gone] of [
    [0, 6, 1],
    [-1, 1, 1],
    [1, 6, 0],
  ] as const) {
    const net = new Net();
    const bounds = [net.builder.scalar(low), net.builder.scalar(high)];
    const [clipped] = net.builder.ops('Clip', [net.conv(net.image, 'a'), ...bounds], 1, { outputs: ['a6'] });
    if (!clipped) throw new Error('Clip has no output');
    t.equal(planQuantisation(net.ending(net.conv(clipped, 'b'))).absorbed.size, gone, `${low}…${high}`);
  }
  t.end();
});

t.test('an excluded layer keeps its Relu, and values that only it uses stay float', (t) => {
  const net = new Net();
  const a = net.conv(net.image, 'a');
  const b = net.op('Relu', net.conv(net.op('Relu', a, 'a+'), 'b'), 'b+');
  const { layers, quantised, absorbed } = planQuantisation(net.ending(net.conv(b, 'c')), new Set(['b', 'c']));
  t.strictSame(
    [...layers].map(({ name }) => name),
    ['a'],
  );
  t.same([...quantised.keys()].sort(), ['a+', 'image']);
  t.same(Object.fromEntries(absorbed), { 'a+': 'a' });
  t.throws(() => planQuantisation(net.builder.build(), new Set(['a', 'b', 'c'])), {
    constructor: QuantisationError,
    message: 'net: every layer is excluded',
  });
  t.end();
});

t.test('a Relu stays if its input has another consumer or is an output', (t) => {
  const shared = new Net();
  const a = shared.conv(shared.image, 'a');
  const b = shared.conv(shared.op('Relu', a, 'a+'), 'b');
  t.equal(planQuantisation(shared.ending(shared.add(a, b, 'sum'))).absorbed.size, 0);
  const shown = new Net();
  const c = shown.conv(shown.image, 'c');
  t.equal(planQuantisation(shown.ending(c, shown.conv(shown.op('Relu', c, 'c+'), 'd'))).absorbed.size, 0);
  t.end();
});

t.test('a Relu at the end is absorbed, too', (t) => {
  const net = new Net();
  const { absorbed } = planQuantisation(net.ending(net.op('Relu', net.conv(net.image, 'a'), 'a+')));
  t.same(Object.fromEntries(absorbed), { 'a+': 'a' });
  t.end();
});

t.test('all three Relus of a small network are absorbed, and the input is quantised', (t) => {
  const { quantised, absorbed } = planQuantisation(smallGraph());
  t.equal(absorbed.size, 3);
  t.ok(quantised.has('image'));
  t.notOk(quantised.has('logits'));
  t.end();
});

t.test('a graph without Conv and Gemm is an error', (t) => {
  const net = new Net();
  t.throws(() => planQuantisation(net.ending(net.op('Relu', net.image, 'a'))), {
    constructor: QuantisationError,
    message: 'net: has no Conv or Gemm to quantise',
  });
  t.end();
});
