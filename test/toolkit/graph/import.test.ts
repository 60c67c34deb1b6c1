// Models exported by PyTorch and Keras → graphs with the same outputs, in Quati's form.
import t from 'tap';
import { GraphBuilder } from '../../../src/toolkit/graph/builder.js';
import { canonicalLayers } from '../../../src/toolkit/graph/dense.js';
import { GraphError, UnsupportedOperatorError } from '../../../src/toolkit/graph/errors.js';
import { importOnnx } from '../../../src/toolkit/graph/import.js';
import { toInferenceMode } from '../../../src/toolkit/graph/inference-mode.js';
import { encodeOnnx } from '../../../src/toolkit/graph/onnx.js';
import { foreignModel, foreignModels, foreignPixels, runForeign } from '../../helpers/foreign-models.js';
import { onnxFile } from '../../helpers/onnx-file.js';
import { operatorCounts } from '../../helpers/quantised-net.js';

const images = 6;

for (const model of foreignModels)
  t.test(`${model.name}: outputs are the same after import, and after folding`, async (t) => {
    const pixels = foreignPixels(model, images);
    const expected = await runForeign(model, model.bytes, pixels, images);
    const spread = Math.max(...expected) - Math.min(...expected);
    t.ok(spread > 0.01, 'answers differ');
    const imported = importOnnx(model.bytes, model.name);
    const folded = toInferenceMode(canonicalLayers(imported));
    for (const [stage, graph] of Object.entries({ imported, folded })) {
      const got = await runForeign(model, encodeOnnx(graph), pixels, images);
      const off = Math.max(...expected.map((value, i) => Math.abs(value - (got[i] ?? Number.NaN))));
      t.ok(off <= 1e-5 * Math.max(1, spread), `${stage}: off by ${off}`);
    }
  });

t.test('operators that scale and shift channels are folded into the previous layer', (t) => {
  for (const { name, bytes } of foreignModels) {
    const counts = operatorCounts(toInferenceMode(canonicalLayers(importOnnx(bytes, name))));
    const left = name === 'torch-squeezenet' ? 1 : 0;
    t.equal(
      counts.BatchNormalization ?? 0,
      left,
      `${name}: only behind a mean there is nothing to fold into`,
    );
    t.notOk(counts.MatMul, name);
    t.notOk(counts.Constant, name);
    t.notOk(counts.Dropout, name);
  }
  const keras = toInferenceMode(canonicalLayers(importOnnx(foreignModel('keras-cnn').bytes, 'keras')));
  t.strictSame(operatorCounts(keras), {
    Transpose: 2,
    Conv: 2,
    Relu: 3,
    MaxPool: 1,
    Reshape: 1,
    Gemm: 2,
    Softmax: 1,
  });
  t.end();
});

t.test('shapes that are computed from the batch become constants, and the batch stays dynamic', (t) => {
  const graph = importOnnx(foreignModel('torch-mobilenet').bytes, 'net');
  const counts = operatorCounts(graph);
  for (const op of ['Shape', 'Gather', 'Unsqueeze', 'Concat']) t.notOk(counts[op], op);
  t.strictSame(graph.outputs[0]?.type.shape, ['batch', 5]);
  t.end();
});

t.test('dynamic dimensions of the file come from the options', (t) => {
  const builder = new GraphBuilder('free');
  const x = builder.input('x', ['N', 1, 'height', 'width']);
  builder.output(builder.op('Relu', [x]), 'y');
  const graph = importOnnx(encodeOnnx(builder.build()), 'free.onnx', { inputShape: ['N', 1, 4, 6] });
  t.strictSame(graph.outputs[0]?.type.shape, ['N', 1, 4, 6]);
  t.end();
});

function modelOf(opType: string, version: bigint): Uint8Array {
  const dim = [
    { value: { case: 'dimParam', value: 'N' } },
    { value: { case: 'dimValue', value: 4n } },
  ] as const;
  const tensor = { elemType: 1, shape: { dim: [...dim] } };
  const value = (name: string) => ({ name, type: { value: { case: 'tensorType', value: tensor } as const } });
  return onnxFile({
    irVersion: 7n,
    opsetImport: [{ domain: '', version }],
    graph: {
      name: 'g',
      node: [{ opType, name: 'the-node', input: ['x'], output: ['y'] }],
      input: [value('x')],
      output: [value('y')],
    },
  });
}

t.test('an unsupported operator or operator set is an error that names it and the file', (t) => {
  t.throws(() => importOnnx(modelOf('NonMaxSuppression', 17n), 'odd.onnx'), {
    constructor: UnsupportedOperatorError,
    message: 'odd.onnx: NonMaxSuppression the-node: Quati has no shape rule for this operator',
  });
  for (const version of [5n, 99n])
    t.throws(() => importOnnx(modelOf('Relu', version), 'odd.onnx'), {
      constructor: GraphError,
      message: `odd.onnx: uses ONNX operator set ${version}, expected 7 to 23`,
    });
  t.end();
});
