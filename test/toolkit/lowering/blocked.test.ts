// The blocked lowering gives the same results as the portable one: loss, every gradient, running statistics.
import t, { type Test } from 'tap';
import { loadRuntime } from '../../../src/inference/workers/runtime.js';
import {
  type Architecture,
  averagePool,
  batchNorm,
  conv,
  dense,
  dropout,
  flatten,
  globalAveragePool,
  hardSwish,
  type Layer,
  maxPool,
  relu,
  relu6,
  residual,
  sigmoid,
} from '../../../src/toolkit/architectures/layers.js';
import { GraphBuilder } from '../../../src/toolkit/graph/builder.js';
import { elementCount, type Graph } from '../../../src/toolkit/graph/graph.js';
import { encodeOnnx } from '../../../src/toolkit/graph/onnx.js';
import { float32Tensor } from '../../../src/toolkit/graph/tensor-data.js';
import { probeBlockSize } from '../../../src/toolkit/lowering/probe.js';
import { dropoutMask } from '../../../src/toolkit/training/step/dropout.js';
import { glorotUniform } from '../../../src/toolkit/training/step/initialisers.js';
import {
  architectureNetwork,
  graphNetwork,
  type Network,
} from '../../../src/toolkit/training/step/network.js';
import { tensorsToVector } from '../../../src/toolkit/training/step/parameters.js';
import { buildGradientStep } from '../../../src/toolkit/training/step/step-graph.js';
import { largestDifference, largestOf } from '../../helpers/gradient-check.js';
import { mulberry32, uniform } from '../../helpers/seeded-values.js';

const batch = 16;
const tolerance = 2e-5;

const tail = [globalAveragePool, dense(4)];
const nets: Record<string, { input: Architecture['input']; layers: readonly Layer[] }> = {
  'one channel, max pools that leave a row': {
    input: { channels: 1, height: 15, width: 13 },
    layers: [conv(16), relu, maxPool(), conv(32), relu, maxPool(), flatten, dense(8), relu, dense(4)],
  },
  'three channels, pads, strides, 1x1 and 5x5': {
    input: { channels: 3, height: 12, width: 12 },
    layers: [
      conv(16, { padding: 1 }),
      relu,
      conv(32, { stride: 2, padding: 1 }),
      relu,
      conv(16, { kernel: 1 }),
      relu,
      conv(16, { kernel: 5, padding: 2 }),
      ...tail,
    ],
  },
  'images of many rows, strides that leave some out': {
    input: { channels: 3, height: 24, width: 20 },
    layers: [
      conv(16, { padding: 1 }),
      relu,
      conv(16, { kernel: 5, padding: 2, stride: 2 }),
      relu,
      conv(32, { kernel: 1, stride: 2 }),
      conv(16, { padding: 1, stride: 3 }),
      ...tail,
    ],
  },
  'batch normalisation, residual blocks, average pool': {
    input: { channels: 3, height: 8, width: 8 },
    layers: [
      ...normalised(16),
      residual([...normalised(16), conv(16, { padding: 1, bias: false }), batchNorm()]),
      relu,
      averagePool(),
      residual(
        [conv(32, { stride: 2, padding: 1, bias: false }), batchNorm()],
        [conv(32, { kernel: 1, stride: 2, bias: false }), batchNorm()],
      ),
      relu,
      ...tail,
    ],
  },
  'depthwise and grouped convolutions, other activations, dropout': {
    input: { channels: 3, height: 9, width: 9 },
    layers: [
      conv(16, { padding: 1 }),
      relu6,
      conv(16, { padding: 1, groups: 16 }),
      hardSwish,
      dropout(0.25),
      conv(32, { kernel: 1 }),
      sigmoid,
      conv(32, { groups: 2 }),
      dropout(0.5),
      ...tail,
    ],
  },
};

function normalised(filters: number): Layer[] {
  return [conv(filters, { padding: 1, bias: false }), batchNorm(), relu];
}

const block = await probeBlockSize();

for (const [title, net] of Object.entries(nets))
  t.test(title, { skip: block === undefined && 'this ONNX Runtime has no blocked operators' }, async (t) => {
    await sameBlocked(t, architectureNetwork({ name: 'net', ...net }, glorotUniform(3)));
  });

t.test(
  "a ResNet in an exporter's form: overlapping and padded pools, means over the image",
  { skip: block === undefined && 'this ONNX Runtime has no blocked operators' },
  async (t) => {
    for (const ceil of [0, 1]) {
      const graph = exported(ceil);
      const weights = [...graph.initializers.keys()].filter((name) => name.startsWith('weight'));
      await sameBlocked(t, graphNetwork(graph, weights));
    }
  },
);

function exported(ceil: number): Graph {
  const builder = new GraphBuilder('exported');
  const random = mulberry32(4);
  const weight = (name: string, ...shape: number[]) =>
    builder.initializer(
      `weight.${name}`,
      float32Tensor(uniform(random, elementCount(shape), -0.3, 0.3), shape),
    );
  const padded = { pads: { ints: [1, 1, 1, 1] } };
  const image = builder.input('image', [batch, 3, 15, 14]);
  const stem = builder.op('Relu', [builder.op('Conv', [image, weight('stem', 16, 3, 3, 3)], padded)]);
  const pooled = builder.op('MaxPool', [stem], {
    kernel_shape: { ints: [3, 3] },
    strides: { ints: [2, 2] },
    ...(ceil === 0 ? padded : { ceil_mode: { int: 1 } }),
  });
  const tiled = builder.op('MaxPool', [builder.op('Conv', [pooled, weight('deep', 16, 16, 3, 3)], padded)], {
    kernel_shape: { ints: [2, 2] },
    strides: { ints: [2, 2] },
    ceil_mode: { int: ceil },
  });
  const mean = builder.op('ReduceMean', [tiled], { axes: { ints: [2, 3] }, keepdims: { int: 0 } });
  builder.output(builder.op('Gemm', [mean, weight('classifier', 16, 4)]), 'logits');
  return builder.build();
}

async function sameBlocked(t: Pick<Test, 'ok'>, network: Network): Promise<void> {
  const portable = await gradients(network, undefined);
  const blocked = await gradients(network, block);
  t.ok(largestDifference(portable.loss, blocked.loss) < 1e-6, 'loss');
  for (const [name, expected] of portable.gradients) {
    const difference = largestDifference(blocked.gradients.get(name) ?? [], expected) / largestOf(expected);
    t.ok(difference <= tolerance, `${name}: ${difference}`);
  }
}

interface Gradients {
  readonly loss: Float32Array;
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

async function gradients(network: Network, block: number | undefined): Promise<Gradients> {
  const { layout, tensors } = network.parameters;
  const lowering = block === undefined ? {} : { block };
  const { graph, masks } = buildGradientStep(network.forward(batch), layout, lowering);
  const { InferenceSession, Tensor } = await loadRuntime();
  const session = await InferenceSession.create(encodeOnnx(graph), { logSeverityLevel: 3 });
  const shape = [batch, ...network.inputShape];
  const pixels = uniform(mulberry32(5), elementCount(shape));
  const labels = BigInt64Array.from({ length: batch }, (_, i) => BigInt(i % 4));
  const feeds = {
    image: new Tensor('float32', Float32Array.from(pixels), shape),
    labels: new Tensor('int64', labels, [batch]),
    parameters: new Tensor('float32', tensorsToVector(layout, tensors, 'test'), [layout.length]),
    ...Object.fromEntries(
      masks.map((mask) => [mask.name, new Tensor('float32', dropoutMask(mask, 1, 0), mask.shape)]),
    ),
  };
  const results = await session.run(feeds);
  await session.release();
  let offset = 0;
  const flat = results.gradient?.data as Float32Array;
  const named = layout.entries.flatMap(({ name, shape, learned }) => {
    const slice = flat.subarray(offset, offset + elementCount(shape));
    offset += slice.length;
    return learned ? [[name, slice] as const] : [];
  });
  return { loss: results.loss?.data as Float32Array, gradients: new Map(named) };
}
