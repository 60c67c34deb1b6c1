// A float model → its int8 variant: the operators that ONNX Runtime runs, and the differences of outputs.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { GraphError } from '../../../src/toolkit/graph/errors.js';
import type { Graph } from '../../../src/toolkit/graph/graph.js';
import { decodeOnnx, encodeOnnx } from '../../../src/toolkit/graph/onnx.js';
import { float32Tensor, toFloat32Array, toIntegers } from '../../../src/toolkit/graph/tensor-data.js';
import { QuantisationError } from '../../../src/toolkit/quantisation/errors.js';
import { type Int8Options, quantiseToInt8 } from '../../../src/toolkit/quantisation/quantise.js';
import { brightnessOnnx, grayInput } from '../../helpers/fixture-model.js';
import { array64, conv2d, relu } from '../../helpers/float64-reference.js';
import { integerConv, uint8Scale } from '../../helpers/integer-reference.js';
import { projectFolder } from '../../helpers/project.js';
import {
  operatorCounts,
  optimisedOperators,
  randomBatches,
  randomImages,
  runModel,
  side,
  signalToNoise,
  smallGraph,
  smallModel,
} from '../../helpers/quantised-net.js';

const models = path.join(projectFolder, 'models');
const float32 = smallModel();
const quantise = async (model = float32, options: Partial<Int8Options> = {}) =>
  (await quantiseToInt8(model, 'small.onnx', randomBatches(4, 16), options)).model;
const int8 = await quantise();

function constantsOf(graph: Graph, dataType: string) {
  return [...graph.initializers.values()].filter((data) => data.dataType === dataType);
}

t.test('ONNX Runtime runs every Conv and Gemm of a small network as integers', async (t) => {
  const counts = await optimisedOperators(int8, t.testdir());
  t.match(counts, { QLinearConv: 2, QGemm: 2 });
  for (const op of ['Conv', 'FusedConv', 'Gemm', 'FusedGemm', 'MatMul', 'Relu']) t.notOk(counts[op], op);
  t.equal(counts.QuantizeLinear, 1, 'the image is quantised once');
  t.notOk(counts.DequantizeLinear, 'nothing goes back to float in between');
});

const files = await committed('int8.onnx');

t.test('ONNX Runtime runs every Conv and Gemm of the committed models as integers', async (t) => {
  t.ok(files.length >= 5, `models/*/*/int8.onnx: found ${files.length}`);
  const folder = t.testdir();
  for (const file of files) {
    const model = await readFile(file);
    const written = operatorCounts(decodeOnnx(model, file));
    const run = await optimisedOperators(model, folder);
    t.equal(run.QLinearConv ?? 0, written.Conv ?? 0, `${file}: Conv`);
    t.equal(run.QGemm ?? 0, written.Gemm ?? 0, `${file}: Gemm`);
    for (const op of ['Conv', 'FusedConv', 'Gemm', 'FusedGemm']) t.notOk(run[op], `${file}: ${op}`);
  }
});

t.test('outputs are close to those of the float model, on images outside the calibration', async (t) => {
  const images = randomImages(64, 1234);
  const expected = await runModel(float32, images);
  for (const optimisations of ['all', 'disabled'] as const) {
    const ratio = signalToNoise(expected, await runModel(int8, images, { optimisations }));
    t.ok(ratio >= 30, `${optimisations}: ${ratio.toFixed(1)} dB`);
  }
});

t.test('all 8 bits of the weights give closer outputs', async (t) => {
  const images = randomImages(64, 1234);
  const expected = await runModel(float32, images);
  const finer = await quantise(float32, { weightLimit: 127 });
  const disabled = { optimisations: 'disabled' } as const;
  const [fine, coarse] = [await runModel(finer, images, disabled), await runModel(int8, images, disabled)];
  t.ok(signalToNoise(expected, fine) > signalToNoise(expected, coarse));
});

t.test('integers equal an independent computation, up to one step', async (t) => {
  const graph = smallGraph();
  const weight = array64([6, 1, 3, 3], toFloat32Array(constant(graph, 'conv1.weight')));
  const bias = array64([6], toFloat32Array(constant(graph, 'conv1.bias')));
  const batches = randomBatches(4, 16);
  const calibrated = array64(
    [64, 1, side, side],
    batches.flatMap(({ images }) => [...images]),
  );
  const input = uint8Scale(calibrated.data);
  const output = uint8Scale(relu(conv2d(calibrated, weight, bias)).data);
  const images = randomImages(8, 77);
  const x = array64([8, 1, side, side], images);
  const expected = integerConv(x, weight, bias, { input, output, limit: 63 });
  const observe = convolved(decodeOnnx(int8));
  for (const optimisations of ['all', 'disabled'] as const) {
    const reals = await runModel(int8, images, { observe, optimisations });
    t.equal(reals.length, expected.data.length);
    const steps = expected.data.map((integer, i) =>
      Math.abs((reals[i] ?? Number.NaN) / output.scale + output.zeroPoint - integer),
    );
    t.ok(Math.max(...steps) <= 1.001, `${optimisations}: off by at most ${Math.max(...steps)} steps`);
    const same = steps.filter((step) => step < 0.01).length / steps.length;
    t.ok(same > 0.99, `${optimisations}: ${same} are the same`);
    t.ok(new Set(expected.data).size > 100, 'many integers occur');
  }
});

t.test('weights are int8 within ±63, biases int32, activations uint8', (t) => {
  const graph = decodeOnnx(int8);
  const weights = constantsOf(graph, 'int8').filter(({ dims }) => dims.length > 1);
  t.strictSame(
    weights.map(({ dims }) => dims),
    [
      [6, 1, 3, 3],
      [8, 6, 3, 3],
      [16, 72],
      [3, 16],
    ],
  );
  for (const data of weights) t.equal(Math.max(...toIntegers(data).map(Math.abs)), 63);
  const biases = constantsOf(graph, 'int32').filter((data) => toIntegers(data).some((value) => value !== 0));
  t.strictSame(
    biases.map(({ dims }) => dims),
    [[6], [8], [16], [3]],
  );
  t.ok(constantsOf(graph, 'uint8').length > 0);
  t.ok(
    constantsOf(graph, 'float32').every(({ dims }) => dims.length <= 1),
    'only scales are float',
  );
  t.end();
});

t.test('pixels keep their integers: the input has scale 1/255 and zero point 0', (t) => {
  const graph = decodeOnnx(int8);
  const [node] = graph.nodes;
  t.match(node, { op: 'QuantizeLinear', inputs: ['image'] });
  const [, scale = '', zeroPoint = ''] = node?.inputs ?? [];
  t.same([...toFloat32Array(constant(graph, scale))], [Math.fround(1 / 255)]);
  t.same(toIntegers(constant(graph, zeroPoint)), [0]);
  t.end();
});

t.test('names are short, except those of input and output', (t) => {
  const graph = decodeOnnx(int8);
  t.strictSame([graph.inputs[0]?.name, graph.outputs[0]?.name], ['image', 'logits']);
  t.strictSame(graph.inputs[0]?.type, { dataType: 'float32', shape: ['N', 1, side, side] });
  const names = [...graph.initializers.keys(), ...graph.nodes.flatMap(({ outputs }) => outputs)];
  t.ok(names.filter((name) => name !== 'logits').every((name) => /^_[0-9a-z]{1,2}$/.test(name)));
  t.end();
});

t.test('the same model and images give the same bytes', async (t) => {
  t.ok(Buffer.from(int8).equals(await quantise()));
});

t.test(
  'a second output in the middle of the network keeps its name, and holds the dequantised value',
  async (t) => {
    const graph = smallGraph();
    const name = graph.nodes.find(({ op }) => op === 'MaxPool')?.outputs[0] ?? '';
    const type = graph.types.get(name);
    if (!type) throw new Error(`${name} has no type`);
    const outputs = [...graph.outputs, { name, type }];
    const model = await quantise(encodeOnnx({ ...graph, outputs }));
    t.strictSame(
      decodeOnnx(model).outputs.map((output) => output.name),
      ['logits', name],
    );
    const images = randomImages(8, 3);
    const expected = await runModel(float32, images, { observe: name });
    t.ok(signalToNoise(expected, await runModel(model, images, { observe: name })) >= 30);
  },
);

t.test('a network of one Gemm on the pixels is quantised, too', async (t) => {
  const model = brightnessOnnx(grayInput, 3);
  const length = 28 * 28;
  const images = new Float32Array(3 * length);
  [0, 128 / 255, 1].forEach((value, i) => {
    images.fill(value, i * length, (i + 1) * length);
  });
  const { model: linear } = await quantiseToInt8(model, 'brightness.onnx', [{ images, count: 3 }]);
  const [expected, got] = [await runModel(model, images), await runModel(linear, images)];
  t.ok(signalToNoise(expected, got) >= 40);
});

t.test('a channel with a bias and almost no weights keeps its bias', async (t) => {
  const graph = smallGraph();
  const weights = toFloat32Array(constant(graph, 'dense2.weight')).map((value, i) =>
    i < 16 ? value * 1e-9 : value,
  );
  const initializers = new Map(graph.initializers);
  initializers.set('dense2.weight', float32Tensor(weights, [3, 16]));
  initializers.set('dense2.bias', float32Tensor([0.7, 0.1, -0.1], [3]));
  const model = encodeOnnx({ ...graph, initializers });
  const scores = await runModel(await quantise(model), randomImages(4, 8));
  for (const row of [0, 1, 2, 3]) t.ok(Math.abs((scores[3 * row] ?? Number.NaN) - 0.7) < 1e-3);
});

t.test('a model that cannot be quantised is an error that names the file', async (t) => {
  await t.rejects(quantise(int8), {
    constructor: QuantisationError,
    message: /^small\.onnx: is already quantised/,
  });
  await t.rejects(quantise(new Uint8Array([1, 2, 3])), {
    constructor: GraphError,
    message: /^small\.onnx: not an ONNX model/,
  });
  await t.rejects(quantiseToInt8(float32, 'small.onnx', []), {
    constructor: QuantisationError,
    message: 'small.onnx: expected images to calibrate on, found none',
  });
  const broken = randomImages(1, 1).fill(Number.NaN);
  await t.rejects(quantiseToInt8(float32, 'small.onnx', [{ images: broken, count: 1 }]), {
    constructor: QuantisationError,
    message: 'small.onnx: image: expected finite values in calibration, got NaN to NaN',
  });
});

function constant(graph: Graph, name: string) {
  const data = graph.initializers.get(name);
  if (!data) throw new Error(`${name} is no constant`);
  return data;
}

/** The first Conv's result, once it went through integers. */
function convolved({ nodes }: Graph): string {
  const conv = nodes.find(({ op }) => op === 'Conv')?.outputs[0] ?? '';
  const integers = nodes.find(({ inputs }) => inputs[0] === conv)?.outputs[0] ?? '';
  return (
    nodes.find(({ op, inputs }) => op === 'DequantizeLinear' && inputs[0] === integers)?.outputs[0] ?? ''
  );
}

async function committed(name: string): Promise<string[]> {
  const files = await readdir(models, { recursive: true }).catch(() => []);
  return files.filter((file) => path.basename(file) === name).map((file) => path.join(models, file));
}
