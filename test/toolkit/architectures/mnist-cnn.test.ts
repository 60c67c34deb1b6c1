// The networks that recipes name: parameters, shapes, inputs and outputs of a forward graph.
import t from 'tap';
import { buildForward, type ParameterSpec } from '../../../src/toolkit/architectures/forward.js';
import { conv, dense, flatten, maxPool, relu } from '../../../src/toolkit/architectures/layers.js';
import { mnistCnn } from '../../../src/toolkit/architectures/mnist-cnn.js';
import { elementCount } from '../../../src/toolkit/graph/graph.js';
import { float32Tensor, toFloat32Array } from '../../../src/toolkit/graph/tensor-data.js';
import { glorotUniform } from '../../../src/toolkit/training/step/initialisers.js';
import { learnedCount } from '../../../src/toolkit/training/step/parameters.js';
import { layoutOf } from '../../../src/toolkit/training/step/step-graph.js';
import {
  conv2d,
  dense as dense64,
  flatten as flatten64,
  maxPool as maxPool64,
  relu as relu64,
  runLayers,
} from '../../helpers/float64-reference.js';
import { floats, largestDifference, largestOf } from '../../helpers/gradient-check.js';
import { runGraph } from '../../helpers/run-graph.js';
import { mulberry32, uniform } from '../../helpers/seeded-values.js';

t.test('mnist-cnn has 225,034 parameters, requested in the order of its layers', async (t) => {
  const specs: ParameterSpec[] = [];
  const graph = buildForward(mnistCnn, {
    batch: 'N',
    parameter(spec) {
      specs.push(spec);
      return float32Tensor(new Float32Array(elementCount(spec.shape)), spec.shape);
    },
  });
  t.same(
    specs.map(({ name, shape, kind, fanIn, fanOut }) => [name, shape, kind, fanIn, fanOut]),
    [
      ['conv1.weight', [32, 1, 3, 3], 'weight', 9, 288],
      ['conv1.bias', [32], 'bias', 9, 288],
      ['conv2.weight', [64, 32, 3, 3], 'weight', 288, 576],
      ['conv2.bias', [64], 'bias', 288, 576],
      ['dense1.weight', [128, 1600], 'weight', 1600, 128],
      ['dense1.bias', [128], 'bias', 1600, 128],
      ['dense2.weight', [10, 128], 'weight', 128, 10],
      ['dense2.bias', [10], 'bias', 128, 10],
    ],
  );
  const names = specs.map(({ name }) => name);
  t.equal(learnedCount(layoutOf(graph, names)), 225_034);
  t.same(graph.inputs, [{ name: 'image', type: { dataType: 'float32', shape: ['N', 1, 28, 28] } }]);
  t.same(graph.outputs, [{ name: 'logits', type: { dataType: 'float32', shape: ['N', 10] } }]);
  t.same(
    graph.nodes.map(({ op }) => op).filter((op) => op !== 'Identity'),
    ['Conv', 'Relu', 'MaxPool', 'Conv', 'Relu', 'MaxPool', 'Flatten', 'Gemm', 'Relu', 'Gemm'],
  );
});

t.test('a network gives the same results as its layers in float64', async (t) => {
  const parameters = new Map<string, { shape: readonly number[]; data: Float64Array }>();
  const random = mulberry32(6);
  const layers = [
    conv(5, { kernel: 5, padding: 2 }),
    relu,
    maxPool(3),
    conv(4),
    relu,
    flatten,
    dense(6),
    relu,
    dense(3),
  ];
  const architecture = { name: 'small', input: { channels: 2, height: 11, width: 13 }, layers };
  const graph = buildForward(architecture, {
    batch: 3,
    parameter({ name, shape }) {
      const data = uniform(random, elementCount(shape));
      parameters.set(name, { shape, data });
      return float32Tensor(data, shape);
    },
  });
  const image = { shape: [3, 2, 11, 13], data: uniform(random, 3 * 2 * 11 * 13) };
  const get = (name: string) => parameters.get(name) ?? { shape: [], data: new Float64Array() };
  const weights = (layer: string) => [get(`${layer}.weight`), get(`${layer}.bias`)] as const;
  const expected = runLayers(
    [
      (x) => conv2d(x, ...weights('conv1'), { pads: [2, 2, 2, 2] }),
      relu64,
      (x) => maxPool64(x, [3, 3], [3, 3]),
      (x) => conv2d(x, ...weights('conv2')),
      relu64,
      flatten64,
      (x) => dense64(x, ...weights('dense1')),
      relu64,
      (x) => dense64(x, ...weights('dense2')),
    ],
    image,
  );
  const { logits } = await runGraph(graph, { image: image.data });
  t.same(logits?.dims, expected.shape);
  const error = largestDifference(floats(logits), expected.data) / largestOf(expected.data);
  t.ok(error <= 2e-6, `off by ${error}`);
});

t.test(
  'initial weights are uniform in ±sqrt(6 / (fanIn + fanOut)), biases are 0, and each name has its own random stream',
  async (t) => {
    const shape = [64, 32, 3, 3];
    const spec: ParameterSpec = { name: 'conv2.weight', shape, kind: 'weight', fanIn: 288, fanOut: 576 };
    const values = toFloat32Array(glorotUniform(1)(spec));
    const limit = Math.sqrt(6 / (288 + 576));
    t.ok(largestOf(values) <= limit && largestOf(values) > 0.999 * limit);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + value ** 2, 0) / values.length;
    t.ok(Math.abs(mean) < 0.02 * limit, `mean ${mean}`);
    t.ok(Math.abs(variance / (limit ** 2 / 3) - 1) < 0.03, `variance ${variance}`);
    t.equal(largestOf(toFloat32Array(glorotUniform(1)({ ...spec, kind: 'bias' }))), 0);
    const bits = (seed: number, name: string) =>
      Buffer.from(glorotUniform(seed)({ ...spec, name }).bytes).toString('base64');
    t.equal(bits(1, 'a'), bits(1, 'a'));
    t.ok(bits(1, 'a') !== bits(2, 'a'), 'another seed');
    t.ok(bits(1, 'a') !== bits(1, 'b'), 'another name');
  },
);
