// Models with shapes that the graph computes, and with operators without a rule → graphs that compute the same.
import t from 'tap';
import type { Attributes, Graph, Node, TensorData } from '../../../src/toolkit/graph/graph.js';
import { decodeOnnx, encodeOnnx, readOnnx } from '../../../src/toolkit/graph/onnx.js';
import { readModel } from '../../../src/toolkit/graph/read-model.js';
import { float32Tensor, int64Tensor } from '../../../src/toolkit/graph/tensor-data.js';
import { runGraph } from '../../helpers/run-graph.js';
import { mulberry32, uniform } from '../../helpers/seeded-values.js';

function node(op: string, inputs: string[], output: string, attributes: Attributes = {}): Node {
  return { op, domain: '', name: output, inputs, outputs: [output], attributes };
}

function model(nodes: Node[], constants: (readonly [string, TensorData])[]): Graph {
  return {
    name: 'model',
    inputs: [{ name: 'image', type: { dataType: 'float32', shape: ['N', 3, 8, 8] } }],
    outputs: [{ name: 'scores', type: { dataType: 'float32', shape: ['N', 4] } }],
    initializers: new Map(constants),
    nodes,
    types: new Map(),
  };
}

const random = mulberry32(5);
const weights = [
  ['w', float32Tensor(uniform(random, 4 * 27, -1, 1), [4, 3, 3, 3])],
  ['axes', int64Tensor([2, 3])],
] as const;
const pixels = Float32Array.from(uniform(random, 2 * 192, 0, 1));

/** As torchvision's and TensorFlow's exporters write static padding: zeros for the outer dimensions, made when the model runs. */
const padded = model(
  [
    node('Shape', ['four'], 'rank'),
    node('ConstantOfShape', ['rank'], 'zeros', { value: { tensor: int64Tensor([0], [1]) } }),
    node('Concat', ['zeros', 'zeros'], 'none', { axis: { int: 0 } }),
    node('Add', ['none', 'margins'], 'pads'),
    node('Pad', ['image', 'pads'], 'padded'),
    node('Conv', ['padded', 'w'], 'conv', { kernel_shape: { ints: [3, 3] } }),
    node('ReduceMean', ['conv'], 'scores', { axes: { ints: [2, 3] }, keepdims: { int: 0 } }),
  ],
  [...weights, ['four', int64Tensor([1, 1, 1, 1])], ['margins', int64Tensor([0, 0, 1, 1, 0, 0, 1, 1])]],
);

/** Gelu is an operator since set 20, where ReduceMean takes its axes as an input. */
const gelu = model(
  [
    node('Conv', ['image', 'w'], 'conv', { kernel_shape: { ints: [3, 3] } }),
    {
      ...node('Gelu', ['conv'], 'gelu', { approximate: { string: 'tanh' } }),
      foreign: { opset: 20, types: [] },
    },
    node('ReduceMean', ['gelu'], 'scores', { axes: { ints: [2, 3] }, keepdims: { int: 0 } }),
  ],
  [...weights],
);

for (const [name, graph, kept, left] of [
  [
    'shapes that depend on constants alone are folded',
    padded,
    ['Pad', 'Conv', 'ReduceMean'],
    ['Shape', 'ConstantOfShape'],
  ],
  ['an operator without a rule stays', gelu, ['Conv', 'Gelu', 'ReduceMean'], []],
] as const)
  t.test(`${name}, and the scores are the same`, async (t) => {
    const bytes = encodeOnnx(graph);
    const read = await readModel(bytes, 'model.onnx');
    const ops = read.nodes.map(({ op }) => op);
    for (const op of kept) if (op !== 'Pad') t.ok(ops.includes(op), op);
    for (const op of left) t.notOk(ops.includes(op), op);
    for (const { outputs } of read.nodes) t.ok(read.types.get(outputs[0] ?? ''), `${outputs[0]} has a type`);
    const fixed = (one: Graph): Graph => ({
      ...one,
      inputs: [{ name: 'image', type: { dataType: 'float32', shape: [2, 3, 8, 8] } }],
    });
    const [expected, got] = [
      await runGraph(fixed(decodeOnnx(bytes)), { image: pixels }),
      await runGraph(fixed(read), { image: pixels }),
    ];
    t.same(got.scores?.dims, [2, 4]);
    const values = Array.from(expected.scores?.data ?? [], Number);
    for (const [i, value] of Array.from(got.scores?.data ?? [], Number).entries())
      t.ok(Math.abs(value - (values[i] ?? Number.NaN)) < 1e-5, `score ${i}: ${value}, expected ${values[i]}`);
  });

t.test('the operator set is Quati’s own unless an operator needs a newer one', async (t) => {
  t.equal(readOnnx(encodeOnnx(await readModel(encodeOnnx(padded), 'padded')), 'padded').opset, 17);
  t.equal(readOnnx(encodeOnnx(await readModel(encodeOnnx(gelu), 'gelu')), 'gelu').opset, 20);
});

t.test('a model that ONNX Runtime cannot load either has the error of the importer', async (t) => {
  const unknown = model([node('Frobnicate', ['image'], 'scores')], []);
  await t.rejects(readModel(encodeOnnx(unknown), 'odd.onnx'), {
    name: 'UnsupportedOperatorError',
    message: /^odd\.onnx: Frobnicate scores: Quati has no shape rule/,
  });
});
