// float32, one-bit and integer form of binarised LeNet-5s: the same logits, in standard ONNX, in few bytes.

import type { InferenceSession } from 'onnxruntime-node';
import t from 'tap';
import { loadRuntime } from '../../../src/inference/workers/runtime.js';
import {
  type Binarisation,
  blockOrders,
  precisions,
} from '../../../src/toolkit/architectures/binarisation.js';
import { buildForward } from '../../../src/toolkit/architectures/forward.js';
import { lenet5Binary } from '../../../src/toolkit/architectures/lenet5.js';
import { encodeSigns } from '../../../src/toolkit/binary/binary-pass.js';
import { integer } from '../../../src/toolkit/binary/integer.js';
import { binaryVariants } from '../../../src/toolkit/binary/variants.js';
import { weightsAsSigns } from '../../../src/toolkit/binary/weights.js';
import { toInferenceMode } from '../../../src/toolkit/graph/inference-mode.js';
import { decodeOnnx, encodeOnnx } from '../../../src/toolkit/graph/onnx.js';
import { lower } from '../../../src/toolkit/lowering/lower.js';
import { lenet5BinaryRecipe } from '../../../src/toolkit/training/recipe/bundled/lenet5-binary.js';
import { largestDifference, largestOf } from '../../helpers/gradient-check.js';
import { randomParameters } from '../../helpers/random-parameters.js';
import { mulberry32 } from '../../helpers/seeded-values.js';

const allBinary: Binarisation = {
  signGradient: 'clipped',
  blockOrder: 'norm-activation',
  activations: 'binary',
  firstLayer: 'binary',
  lastLayer: 'binary',
};
const { input } = lenet5BinaryRecipe;
const images = 40;
const random = mulberry32(4);
const pixels = Float32Array.from({ length: images * 784 }, () => Math.floor(random() * 256) * (1 / 255));

const forwardOf = (binarisation: Binarisation) =>
  buildForward(lenet5Binary(binarisation), { batch: 'N', parameter: randomParameters(3) });

async function logitsOf(
  model: Uint8Array,
  options: InferenceSession.SessionOptions = {},
): Promise<Float32Array> {
  const { InferenceSession, Tensor } = await loadRuntime();
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1, ...options });
  const { logits } = await session.run({ image: new Tensor('float32', pixels, [images, 1, 28, 28]) });
  await session.release();
  return logits?.data as Float32Array;
}

const trained = (binarisation: Binarisation) =>
  encodeOnnx(lower(toInferenceMode(weightsAsSigns(forwardOf(binarisation)))));

for (const blockOrder of blockOrders)
  for (const activations of precisions)
    for (const ends of precisions)
      t.test(
        `${blockOrder}, activations ${activations}, ends ${ends}: every variant gives the float32 logits`,
        async (t) => {
          const binarisation = { ...allBinary, blockOrder, activations, firstLayer: ends, lastLayer: ends };
          const expected = await logitsOf(trained(binarisation));
          const variants = binaryVariants(forwardOf(binarisation), binarisation, input);
          const isExact = blockOrder === 'norm-activation' && activations === 'binary' && ends === 'binary';
          t.same([...variants.keys()], isExact ? ['binary', 'int8'] : ['binary']);
          t.ok(largestOf(expected) > 0.1);
          for (const [name, model] of variants) {
            const error = largestDifference(await logitsOf(model), expected) / largestOf(expected);
            t.ok(error <= 2e-6, `${name}: off by ${error.toExponential(1)}`);
          }
        },
      );

t.test(
  'unpacking and folding in advance change nothing: logits have the same bits with and without optimisation',
  async (t) => {
    for (const [name, model] of binaryVariants(forwardOf(allBinary), allBinary, input)) {
      const plain = await logitsOf(model, { graphOptimizationLevel: 'disabled' });
      t.same(await logitsOf(model), plain, name);
    }
  },
);

t.test('the fully binarised network takes at most 14 KB, in standard ONNX operators', async (t) => {
  const binary = binaryVariants(forwardOf(allBinary), allBinary, input).get('binary') ?? new Uint8Array();
  t.ok(binary.byteLength > 0 && binary.byteLength <= 14 * 1024, `${binary.byteLength} bytes`);
  const { nodes, initializers } = decodeOnnx(binary);
  t.same([...new Set(nodes.map(({ domain }) => domain))], ['']);
  const bits = [...initializers.values()].filter(
    ({ dataType, dims }) => dataType === 'uint8' && dims.length === 2,
  );
  const weights = [150, 2400, 48000, 10080, 840];
  t.same(
    bits.map(({ bytes }) => bytes.length),
    weights.map((count) => Math.ceil(count / 8)),
  );
});

t.test(
  'ONNX Runtime unpacks the weights when it loads the file, and runs no unpacking afterwards',
  async (t) => {
    const { readFile } = await import('node:fs/promises');
    const optimised = `${t.testdir({})}/optimised.onnx`;
    const variants = binaryVariants(forwardOf(allBinary), allBinary, input);
    await logitsOf(variants.get('binary') ?? new Uint8Array(), {
      graphOptimizationLevel: 'extended',
      optimizedModelFilePath: optimised,
    });
    const operators = new Set(decodeOnnx(await readFile(optimised)).nodes.map(({ op }) => op));
    for (const op of ['BitShift', 'Mod', 'Cast', 'Reshape', 'Slice']) t.notOk(operators.has(op), op);
    for (const op of ['Conv', 'Gemm', 'Greater', 'Where']) t.ok(operators.has(op), op);
  },
);

t.test('a layer without an integer form is an error with the layer and the reason', async (t) => {
  const refused = (change: Partial<Binarisation>, pixels = input) =>
    t.throws(() => encodeSigns(forwardOf({ ...allBinary, ...change }), pixels, integer), {
      name: 'GraphError',
      message:
        /^(Conv conv|Gemm dense)\d: has no integer form: its input is neither signs nor pixels k \/ 255$/,
    });
  refused({ activations: 'float32' });
  refused({ blockOrder: 'activation-norm' });
  refused({}, { ...input, mean: [0.5] });
});
