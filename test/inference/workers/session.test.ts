// ONNX bytes and files → scores, and the errors of models that do not fit.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { ModelError } from '../../../src/inference/errors.js';
import { tensorLength } from '../../../src/inference/image/tensor.js';
import { openSession } from '../../../src/inference/workers/session.js';
import { GraphBuilder } from '../../../src/toolkit/graph/builder.js';
import type { DataType, Dim, Value } from '../../../src/toolkit/graph/graph.js';
import { encodeOnnx } from '../../../src/toolkit/graph/onnx.js';
import { brightnessOnnx, grayInput } from '../../helpers/fixture-model.js';

const length = tensorLength(grayInput);
const batch = Float32Array.from({ length: 3 * length }, (_, i) => Math.floor(i / length) / 2);

t.test('a batch gives one row of scores per image, with a model from bytes and from a file', async (t) => {
  const onnx = brightnessOnnx(grayInput, 3);
  const file = join(t.testdir(), 'model.onnx');
  await writeFile(file, onnx);
  for (const model of [onnx, file]) {
    const session = await openSession(model, { input: grayInput, intraOpThreads: 2 });
    t.same(session.imageShape, [1, 28, 28]);
    const scores = await session.run(batch, 3);
    t.equal(scores.length, 9);
    t.same(
      [0, 1, 2].map((i) => winner(scores.subarray(i * 3, i * 3 + 3))),
      [0, 1, 2],
    );
    await session.release();
  }
});

t.test('only the first `count` images of a longer batch are used', async (t) => {
  const session = await openSession(brightnessOnnx(grayInput, 3));
  t.equal((await session.run(batch, 2)).length, 6);
  await t.rejects(session.run(batch, 4), ModelError);
  await t.rejects(session.run(batch, 0), ModelError);
});

t.test('a model with a fixed batch size of 1 gives the same scores for a batch', async (t) => {
  const free = await openSession(brightnessOnnx(grayInput, 3));
  const fixed = await openSession(brightnessOnnx(grayInput, 3, 1));
  t.same([...(await fixed.run(batch, 3))], [...(await free.run(batch, 3))]);
});

/** Scores of the brightness classifier after a step that reads the whole batch. */
function mixingOnnx(mix: (builder: GraphBuilder, x: Value) => Value): Uint8Array {
  const builder = new GraphBuilder('mixing');
  const x = builder.input('image', ['N', 1, 28, 28]);
  const flat = builder.op('Flatten', [mix(builder, x)]);
  const weights = Float32Array.from({ length: 2 * length }, (_, i) => (i < length ? 1 : -1) / length);
  builder.output(
    builder.op('Gemm', [flat, builder.floats([...weights], [2, length])], { transB: { int: 1 } }),
    'scores',
  );
  return encodeOnnx(builder.build());
}

const mixing: Record<string, (builder: GraphBuilder, x: Value) => Value> = {
  'subtracts the mean of the batch': (builder, x) =>
    builder.op('Sub', [x, builder.op('ReduceMean', [x], { axes: { ints: [0, 1, 2, 3] } })]),
  'was traced with a reshape to one image': (builder, x) => {
    const traced = builder.op('Reshape', [x, builder.integers([1, 1, 28, 28])]);
    return builder.op('Relu', [traced]);
  },
};

for (const [name, mix] of Object.entries(mixing))
  t.test(`a model that ${name} runs image by image`, async (t) => {
    const session = await openSession(mixingOnnx(mix));
    t.equal(session.mostAtOnce, 1);
    const alone = await Promise.all(
      [0, 1, 2].map((i) => session.run(batch.subarray(i * length, (i + 1) * length), 1)),
    );
    t.same(
      [...(await session.run(batch, 3))],
      alone.flatMap((scores) => [...scores]),
    );
  });

t.test('a model whose images do not depend on each other runs them at once', async (t) => {
  t.equal((await openSession(brightnessOnnx(grayInput, 3))).mostAtOnce, Number.POSITIVE_INFINITY);
});

t.test('a dynamic image size comes from the card, which is then required', async (t) => {
  const onnx = identityOnnx(['N', 1, 'H', 'W']);
  await t.rejects(openSession(onnx), { message: /dim 2\): its size is dynamic/ });
  t.same((await openSession(onnx, { input: grayInput })).imageShape, [1, 28, 28]);
});

t.test('a model that is not a classifier, or does not fit the card, is refused', async (t) => {
  const refused: [RegExp, Uint8Array][] = [
    [/cannot be loaded/, Buffer.from('not a model')],
    [/the card states 28, the model 14/, identityOnnx(['N', 1, 14, 28])],
    [/the card states 1, the model 3/, identityOnnx(['N', 3, 28, 28])],
    [/expected 4 dimensions \(NCHW or NHWC\), got 2/, identityOnnx(['N', 784])],
    [/the card states float32, the model uint8/, identityOnnx(['N', 1, 28, 28], 'uint8')],
    [/dim 1\): the card states 1, the model 28/, identityOnnx(['N', 28, 28, 1])],
    [/expected a dynamic batch size or 1, got 8/, identityOnnx([8, 1, 28, 28])],
  ];
  for (const [message, onnx] of refused)
    await t.rejects(openSession(onnx, { input: grayInput }), { constructor: ModelError, message });
});

t.test('interleaved channels and byte input work if the card states them', async (t) => {
  const nhwc = { ...grayInput, layout: 'nhwc' } as const;
  const session = await openSession(identityOnnx(['N', 28, 28, 1]), { input: nhwc });
  t.same(session.imageShape, [28, 28, 1]);
  t.equal((await session.run(batch, 3)).length, 3 * length);
  await t.rejects(openSession(identityOnnx(['N', 1, 28, 28]), { input: nhwc }), {
    message: /dim 1\): the card states 28, the model 1/,
  });
  const bytes = { ...grayInput, dataType: 'uint8' } as const;
  await t.rejects(openSession(identityOnnx(['N', 1, 28, 28]), { input: bytes }), {
    message: /the card states uint8, the model float32/,
  });
});

function identityOnnx(shape: readonly Dim[], dataType: DataType = 'float32'): Uint8Array {
  const builder = new GraphBuilder('identity');
  builder.output(builder.input('image', shape, dataType), 'scores');
  return encodeOnnx(builder.build());
}

function winner(scores: Float32Array): number {
  return scores.indexOf(Math.max(...scores));
}
