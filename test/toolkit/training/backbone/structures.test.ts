// Classifiers of common exporters → a head on their features, and the backbone's layers that gradients reach.
import t from 'tap';
import { GraphBuilder } from '../../../../src/toolkit/graph/builder.js';
import type { Graph } from '../../../../src/toolkit/graph/graph.js';
import { encodeOnnx } from '../../../../src/toolkit/graph/onnx.js';
import { float32Tensor } from '../../../../src/toolkit/graph/tensor-data.js';
import { findFeatures } from '../../../../src/toolkit/training/backbone/features.js';
import { layerParameters } from '../../../../src/toolkit/training/backbone/layers.js';
import { loadBackbone } from '../../../../src/toolkit/training/backbone/load.js';
import { prepareBackbone } from '../../../../src/toolkit/training/backbone/prepare.js';
import { backboneOnnx, rgbInput } from '../../../helpers/backbone-fixture.js';
import { foreignModel } from '../../../helpers/foreign-models.js';
import { mulberry32, uniform } from '../../../helpers/seeded-values.js';

const input = { ...rgbInput, width: 16, height: 16 };

async function prepared(bytes: Uint8Array, name: string, fineTune?: number) {
  const loaded = await loadBackbone(bytes, name);
  const options = { name, title: name, dataset: 'shapes', input: { ...input, ...loaded.size } };
  return await prepareBackbone(bytes, loaded, fineTune === undefined ? options : { ...options, fineTune });
}

for (const [name, learning, reason] of [
  ['torch-resnet', 6, undefined],
  ['torch-mobilenet', 8, undefined],
  ['torch-squeezenet', 1, /^trains the head and the last 1 of 4 layers: LeakyRelu.* has no gradient/],
] as const)
  t.test(`${name} is cut before its last layer, and ${learning} of its layers can be trained`, async (t) => {
    const { graph, recipe, note } = await prepared(foreignModel(name).bytes, name);
    if (reason) t.match(note, reason);
    else t.equal(note, undefined);
    const width = Number(graph.outputs[0]?.type.shape[1]);
    t.ok(width > 1, `${width} features`);
    t.match(recipe.architecture.input, { channels: width, height: 1, width: 1 });
    t.equal(recipe.backbone?.fineTune, learning);
    t.equal(layerParameters(graph).length === learning, reason === undefined);
    t.notOk(graph.nodes.some(({ op }) => ['BatchNormalization', 'Dropout', 'Softmax'].includes(op)));
    t.strictSame([graph.inputs[0]?.name, graph.outputs[0]?.name], ['image', 'backbone.features']);
  });

t.test(
  'EfficientNet-Lite of TensorFlow has one Transpose after [N, H, W, C]: images enter after it',
  async (t) => {
    const builder = new GraphBuilder('lite');
    const image = builder.input('images:0', [1, 16, 16, 3]);
    const first = builder.op('Transpose', [image], { perm: { ints: [0, 3, 1, 2] } });
    const weight = (name: string, shape: readonly number[]) =>
      builder.initializer(
        name,
        float32Tensor(
          uniform(
            mulberry32(1),
            shape.reduce((a, b) => a * b, 1),
            -1,
            1,
          ),
          shape,
        ),
      );
    const conv = builder.op('Conv', [first, weight('stem', [8, 3, 3, 3])], { strides: { ints: [2, 2] } });
    const clipped = builder.op('Clip', [conv, builder.scalar(0), builder.scalar(6)]);
    const depthwise = builder.op('Conv', [clipped, weight('depthwise', [8, 1, 3, 3])], { group: { int: 8 } });
    const expanded = builder.op('Conv', [depthwise, weight('expand', [12, 8, 1, 1])]);
    const pooled = builder.op('Flatten', [builder.op('GlobalAveragePool', [expanded])]);
    const scores = builder.op('MatMul', [pooled, weight('classifier', [12, 5])]);
    builder.output(builder.op('Softmax', [scores], { axis: { int: 1 } }), 'Softmax:0');
    const { graph, recipe, note } = await prepared(encodeOnnx(builder.build()), 'lite');
    t.equal(note, undefined);
    t.strictSame(
      graph.inputs[0]?.type.shape,
      ['N', 3, 16, 16],
      'of any batch, though it was exported for one',
    );
    t.equal(recipe.backbone?.fineTune, 3);
    t.equal(recipe.architecture.input.channels, 12);
  },
);

t.test('a fine-tune count above the number of layers is an error with that number', async (t) => {
  const bytes = backboneOnnx();
  t.equal((await prepared(bytes, 'shapes', 1)).recipe.backbone?.fineTune, 1);
  t.equal((await prepared(bytes, 'shapes', 0)).recipe.backbone?.fineTune, 0);
  await t.rejects(prepared(bytes, 'shapes', 9), {
    name: 'BackboneError',
    message: 'shapes: has 2 layers with weights, cannot fine-tune 9',
  });
});

t.test(
  'fine-tuning stops at an operator without a gradient and reports it; so it does at an operator without any rule',
  async (t) => {
    const loss = await prepared(backboneOnnx({ between: 'LRN' }), 'lrn');
    t.equal(loss.recipe.backbone?.fineTune, 1);
    t.match(loss.note, /^trains the head and the last 1 of 2 layers: LRN .*gradient/);
    const last = await prepared(backboneOnnx({ between: 'LRN' }), 'lrn', 1);
    t.equal(last.recipe.backbone?.fineTune, 1, 'the last layer lies behind it');
    const unknown = await prepared(backboneOnnx({ between: 'Sin' }), 'sin');
    t.match(unknown, {
      recipe: { backbone: { fineTune: 1 } },
      note: /^trains the head and the last 1 of 2 layers: Sin /,
    });
  },
);

t.test('the warm-up is one epoch, or half of it in a run of one epoch', async (t) => {
  const bytes = backboneOnnx();
  const loaded = await loadBackbone(bytes, 'shapes');
  const options = { name: 'shapes', title: 'shapes', dataset: 'shapes', input: { ...input, ...loaded.size } };
  for (const [epochs, warmupEpochs] of [
    [1, 0.5],
    [6, 1],
  ] as const) {
    const { recipe } = await prepareBackbone(bytes, loaded, { ...options, epochs });
    t.match(recipe, { epochs, schedule: { warmupEpochs } });
  }
});

t.test('--features selects the cut; an unknown name gives an error with the last values', async (t) => {
  const { graph } = await loadBackbone(backboneOnnx(), 'shapes');
  t.equal(findFeatures(graph, 'pool'), 'pool');
  t.throws(() => findFeatures(graph, 'nowhere'), {
    name: 'BackboneError',
    message: /^shapes: has no value nowhere to cut at; its last values are .*scores/,
  });
});

t.test('a model that is not a float image classifier is refused with the reason', async (t) => {
  const twoInputs = new GraphBuilder('two');
  const [a, b] = ['a', 'b'].map((name) => twoInputs.input(name, ['N', 3, 4, 4]));
  twoInputs.output(twoInputs.op('Add', [a, b]), 'sum');
  const many = new GraphBuilder('many');
  many.output(many.op('Relu', [many.input('x', ['N', 7, 4, 4])]), 'y');
  const headless = new GraphBuilder('headless');
  headless.output(headless.op('Relu', [headless.input('x', ['N', 3, 4, 4])]), 'y');
  const bytes = (builder: GraphBuilder): Uint8Array => encodeOnnx(builder.build() satisfies Graph);
  await t.rejects(loadBackbone(bytes(twoInputs), 'two.onnx'), {
    name: 'BackboneError',
    message: /^two\.onnx: expected one float32 input \[N, C, H, W\], got a float32/,
  });
  await t.rejects(loadBackbone(bytes(many), 'many.onnx'), {
    message: /^many\.onnx: expected images of 1 or 3 channels/,
  });
  const { graph } = await loadBackbone(bytes(headless), 'headless.onnx');
  t.throws(() => findFeatures(graph), {
    name: 'BackboneError',
    message: /^headless\.onnx: does not end in a layer of scores; give --features <name>/,
  });
  await t.rejects(loadBackbone(new Uint8Array([1, 2, 3]), 'noise.onnx'), {
    name: 'GraphError',
    message: /noise\.onnx/,
  });
});
