// Classifiers exported by PyTorch and Keras → int8 and float16 variants: the operators that run, and the differences of outputs.
import t from 'tap';
import { decodeOnnx } from '../../../src/toolkit/graph/onnx.js';
import { QuantisationError } from '../../../src/toolkit/quantisation/errors.js';
import { quantiseToFloat16, quantiseToInt8 } from '../../../src/toolkit/quantisation/quantise.js';
import {
  foreignBatches,
  foreignModel,
  foreignModels,
  foreignPixels,
  runForeign,
} from '../../helpers/foreign-models.js';
import { operatorCounts, optimisedOperators, signalToNoise } from '../../helpers/quantised-net.js';

const images = 32;
const floatLayers = ['Conv', 'FusedConv', 'NhwcFusedConv', 'Gemm', 'FusedGemm', 'MatMul'];

for (const model of foreignModels) {
  const { name, bytes } = model;
  const pixels = foreignPixels(model, images, 7);
  const expected = await runForeign(model, bytes, pixels, images);

  for (const activations of ['uint8', 'int8'] as const)
    t.test(
      `${name}: every Conv and dense layer runs as integers, with ${activations} activations`,
      async (t) => {
        const int8 = await quantiseToInt8(bytes, name, foreignBatches(model, 1), { activations });
        const written = operatorCounts(decodeOnnx(int8.model));
        const run = await optimisedOperators(int8.model, t.testdir());
        t.equal(run.QLinearConv ?? 0, written.Conv ?? 0, 'Conv');
        t.equal(run.QGemm ?? 0, written.Gemm ?? 0, 'Gemm');
        for (const op of floatLayers) t.notOk(run[op], op);
        const ratio = signalToNoise(expected, await runForeign(model, int8.model, pixels, images));
        t.ok(ratio >= 30, `${ratio.toFixed(1)} dB`);
      },
    );

  t.test(`${name}: as float16, outputs are those of weights rounded to half floats`, async (t) => {
    const { model: half, report } = await quantiseToFloat16(bytes, name, foreignBatches(model, 1));
    const graph = decodeOnnx(half);
    t.equal(graph.inputs[0]?.type.dataType, model.pixels);
    t.equal(graph.outputs[0]?.type.dataType, 'float32');
    const ratio = signalToNoise(expected, await runForeign(model, half, pixels, images));
    t.ok(ratio >= 50, `${ratio.toFixed(1)} dB`);
    t.match(report.note, /saves space but no time/);
  });
}

t.test('sums, joins and averages between integer layers run as integers, too', async (t) => {
  for (const [name, integers] of [
    ['torch-resnet', { QLinearAdd: 2, QLinearGlobalAveragePool: 1 }],
    ['torch-mobilenet', { QLinearAdd: 1, QLinearGlobalAveragePool: 2 }],
    ['torch-squeezenet', { QLinearConcat: 1, QLinearAveragePool: 1 }],
  ] as const) {
    const model = foreignModel(name);
    const int8 = await quantiseToInt8(model.bytes, name, foreignBatches(model, 1));
    t.match(await optimisedOperators(int8.model, t.testdir()), integers, name);
  }
});

t.test('excluded layers run in float, the others as integers, and the report states it', async (t) => {
  const model = foreignModel('torch-resnet');
  const exclude = ['/stem/stem.0/stem.0.0/Conv', '/fc/Gemm'];
  const int8 = await quantiseToInt8(model.bytes, model.name, foreignBatches(model, 1), { exclude });
  const run = await optimisedOperators(int8.model, t.testdir());
  t.equal(run.QLinearConv, 5);
  t.notOk(run.QGemm);
  const floats = int8.report.layers.filter(({ runs }) => runs === 'float32');
  t.strictSame(
    floats.map(({ name, reason }) => [name, reason]),
    exclude.map((name) => [name, 'excluded']),
  );
  await t.rejects(quantiseToInt8(model.bytes, 'net', foreignBatches(model, 1), { exclude: ['fc'] }), {
    constructor: QuantisationError,
    message: /^net: has no layer fc to exclude; its layers are \/stem\/stem\.0\/stem\.0\.0\/Conv, /,
  });
});

t.test('the layers with the largest losses are kept in float, which improves the scores', async (t) => {
  const model = foreignModel('torch-mobilenet');
  const batches = foreignBatches(model, 2);
  const all = await quantiseToInt8(model.bytes, model.name, batches);
  const seen: string[] = [];
  const kept = await quantiseToInt8(model.bytes, model.name, batches, {
    keepFloat: 2,
    onLayer: (done, of, name) => seen.push(`${done}/${of} ${name}`),
  });
  const losses = kept.report.layers.map(({ aloneDb }) => aloneDb ?? Number.NaN);
  const worst = [...losses].sort((a, b) => a - b).slice(0, 2);
  for (const [i, layer] of kept.report.layers.entries()) {
    const isWorst = worst.includes(losses[i] ?? 0);
    t.equal(layer.runs, isWorst ? 'float32' : 'int8', layer.name);
    t.equal(layer.reason, isWorst ? 'worst loss' : undefined);
  }
  t.equal(seen.length, 9);
  t.ok((kept.report.scoresDb ?? 0) > (all.report.scoresDb ?? 0));
  await t.rejects(quantiseToInt8(model.bytes, 'net', batches, { keepFloat: 9 }), {
    constructor: QuantisationError,
    message: 'net: keeping 9 layers in float leaves none of 9 to quantise',
  });
});
