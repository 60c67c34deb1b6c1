// A tiny classifier with seeded weights, as a pretrained backbone for tests: image → conv → relu → conv → pool → 5 scores.
import type { InputContract } from '../../src/inference/image/contract.js';
import { GraphBuilder } from '../../src/toolkit/graph/builder.js';
import type { Graph, Node, Value } from '../../src/toolkit/graph/graph.js';
import { encodeOnnx } from '../../src/toolkit/graph/onnx.js';
import { float32Tensor } from '../../src/toolkit/graph/tensor-data.js';
import { mulberry32, uniform } from './seeded-values.js';

export const rgbInput: InputContract = {
  width: 32,
  height: 32,
  channels: 'rgb',
  fit: 'cover',
  kernel: 'linear',
  scale: 1 / 127.5,
  mean: [1, 1, 1],
  std: [1, 1, 1],
};

export interface BackboneFixture {
  /** Between its two layers: an operator with a shape rule and no gradient, or one that nobody knows. */
  readonly between?: 'LRN' | 'Sin';
}

/** Takes images of any size. */
export function backboneOnnx({ between }: BackboneFixture = {}): Uint8Array {
  const builder = new GraphBuilder('tiny');
  const random = mulberry32(7);
  const weight = (name: string, shape: readonly number[]): Value => {
    const fanIn = shape.slice(1).reduce((a, b) => a * b, 1);
    const limit = Math.sqrt(6 / fanIn);
    const values = uniform(random, fanIn * (shape[0] ?? 1), -limit, limit);
    return builder.initializer(name, float32Tensor(values, shape));
  };
  const named = (
    op: 'Conv' | 'Relu' | 'GlobalAveragePool' | 'Gemm',
    inputs: Value[],
    output: string,
    strides = 1,
  ) =>
    builder.ops(op, inputs, 1, {
      outputs: [output],
      attributes:
        op === 'Conv'
          ? { strides: { ints: [strides, strides] } }
          : op === 'Gemm'
            ? { transB: { int: 1 } }
            : {},
    })[0] as Value;
  const image = builder.input(
    'input',
    ['N', 3, 'H', 'W'].map((dim, i) => (i > 1 ? 32 : dim)),
  );
  const first = named('Relu', [named('Conv', [image, weight('conv1', [16, 3, 3, 3])], 'conv', 2)], 'relu');
  const second = named(
    'Relu',
    [named('Conv', [first, weight('conv2', [24, 16, 3, 3])], 'deep', 2)],
    'deeper',
  );
  const pooled = named('GlobalAveragePool', [second], 'pool');
  const flat = builder.op('Flatten', [pooled]);
  builder.output(named('Gemm', [flat, weight('classifier', [5, 24])], 'scores'));
  const graph = builder.build();
  return encodeOnnx(between === undefined ? graph : withNode(graph, between));
}

/** Between the first layer and the second. */
function withNode(graph: Graph, op: string): Graph {
  const added: Node = {
    op,
    domain: '',
    name: op.toLowerCase(),
    inputs: ['relu'],
    outputs: ['between'],
    attributes: op === 'LRN' ? { size: { int: 3 } } : {},
  };
  const nodes = graph.nodes.flatMap((node) =>
    node.outputs[0] === 'deep'
      ? [added, { ...node, inputs: node.inputs.map((name) => (name === 'relu' ? 'between' : name)) }]
      : [node],
  );
  return { ...graph, nodes };
}
