// Gradient operators → standard ones: the operators, their names, and the chosen formulation.
import t from 'tap';
import { differentiate } from '../../../src/toolkit/autodiff/differentiate.js';
import { GraphBuilder } from '../../../src/toolkit/graph/builder.js';
import type { Graph } from '../../../src/toolkit/graph/graph.js';
import { trainingOperators } from '../../../src/toolkit/graph/shape-inference.js';
import { lower } from '../../../src/toolkit/lowering/lower.js';
import { largestDifference } from '../../helpers/gradient-check.js';
import { runGraph } from '../../helpers/run-graph.js';
import { mulberry32, uniform } from '../../helpers/seeded-values.js';

interface Net {
  readonly channels: number;
  readonly strides?: number;
  /** Names of values that are read from the loss on, in this order. */
  readonly later?: readonly string[];
}

/** conv, relu, pool, sum, differentiated by image and weight. */
function differentiated({ channels, strides = 1, later = [] }: Net): Graph {
  const builder = new GraphBuilder('net');
  const x = builder.input('x', [2, channels, 10, 10]);
  const w = builder.input('w', [4, channels, 3, 3]);
  const convolved = builder.op('Conv', [x, w], { strides: { ints: [strides, strides] } });
  const window = { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } };
  const pooled = builder.op('MaxPool', [builder.op('Relu', [convolved])], window);
  builder.output(builder.op('ReduceSum', [pooled], { keepdims: { int: 0 } }), 'loss');
  const { graph, gradients } = differentiate(builder.build(), 'loss', ['x', 'w']);
  const extended = GraphBuilder.from(graph);
  for (const name of later) extended.ops('Neg', [extended.value('loss')], 1, { outputs: [name] });
  extended.output(extended.value('loss'));
  for (const name of ['x', 'w']) extended.output(extended.value(gradients.get(name)?.name ?? ''), `d${name}`);
  return extended.build();
}

const operators = (graph: Graph) => graph.nodes.map(({ op }) => op);
const feeds = (channels: number) => {
  const random = mulberry32(channels);
  return { x: uniform(random, 2 * channels * 100), w: uniform(random, 4 * channels * 9) };
};

t.test(
  'the result has only standard operators, the same inputs and outputs, and unique node names',
  async (t) => {
    const graph = differentiated({ channels: 3 });
    const found = trainingOperators.filter((op) => operators(graph).includes(op));
    t.strictSame(found, ['ConvInputGrad', 'ConvWeightGrad', 'MaxPoolGrad', 'ReluGrad']);
    const lowered = lower(graph);
    t.ok(lowered.nodes.every(({ domain }) => domain === ''));
    t.notOk(operators(lowered).some((op) => (trainingOperators as readonly string[]).includes(op)));
    t.same(lowered.inputs, graph.inputs);
    t.same(lowered.outputs, graph.outputs);
    const names = lowered.nodes.map(({ name }) => name);
    t.equal(new Set(names).size, names.length);
  },
);

t.test(
  'the gradient by the image is a Conv for 16 or more channels, and a ConvTranspose for fewer',
  async (t) => {
    const transposed = (net: Net) => operators(lower(differentiated(net))).includes('ConvTranspose');
    t.equal(transposed({ channels: 15 }), true);
    t.equal(transposed({ channels: 16 }), false);
    t.equal(
      transposed({ channels: 16, strides: 2 }),
      true,
      'strides leave gaps that only ConvTranspose fills',
    );
  },
);

t.test('a graph without gradient operators stays unchanged', async (t) => {
  const builder = new GraphBuilder('plain');
  const x = builder.input('x', ['N', 3]);
  builder.output(builder.op('Relu', [builder.op('Add', [x, builder.scalar(2)])]), 'y');
  const graph = builder.build();
  t.same(lower(graph), graph);
});

t.test('new operators never use a name that occurs later in the graph', async (t) => {
  const made = ['Pad', 'Slice', 'Concat', 'Reshape', 'Transpose', 'MatMul', 'HardSigmoid', 'Mul', 'const'];
  const later = made.flatMap((op) => Array.from({ length: 80 }, (_, serial) => `${op}_${serial}`));
  const taken = new Set(differentiated({ channels: 3 }).types.keys());
  const graph = differentiated({ channels: 3, later: later.filter((name) => !taken.has(name)) });
  const { dw } = await runGraph(lower(graph), feeds(3));
  const { dw: expected } = await runGraph(lower(differentiated({ channels: 3 })), feeds(3));
  t.same(dw?.data, expected?.data);
});

t.test("ONNX Runtime's optimisations do not change the gradients", async (t) => {
  for (const channels of [3, 16]) {
    const graph = lower(differentiated({ channels }));
    const plain = await runGraph(graph, feeds(channels));
    const optimised = await runGraph(graph, feeds(channels), 'all');
    for (const name of ['dx', 'dw']) {
      const [a, b] = [plain[name]?.data ?? [], optimised[name]?.data ?? []].map((data) =>
        Array.from(data, Number),
      );
      const difference = largestDifference(a ?? [], b ?? []);
      t.ok(difference <= 1e-5, `${name} of ${channels} channels: ${difference}`);
    }
  }
});
