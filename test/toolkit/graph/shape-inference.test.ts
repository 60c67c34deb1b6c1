// Inferred shapes against those of ONNX Runtime, for seeded random attributes of every operator with its own rule.
import t from 'tap';
import { GraphBuilder } from '../../../src/toolkit/graph/builder.js';
import { type Attributes, elementCount, type Value } from '../../../src/toolkit/graph/graph.js';
import type { Operator } from '../../../src/toolkit/graph/shape-inference.js';
import { runGraph } from '../../helpers/run-graph.js';
import { integerBetween, mulberry32, pick } from '../../helpers/seeded-values.js';

interface Draw {
  readonly builder: GraphBuilder;
  between(low: number, high: number): number;
  pick<T>(choices: readonly T[]): T;
  /** A float32 input of that shape. */
  input(...shape: number[]): Value;
}

interface Drawn {
  readonly op: Operator;
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes?: Attributes;
  readonly outputs?: number;
}

const rounds = 25;

/** Inputs of [N, C, H, W] and a window that fits into it. */
function drawWindow({ between }: Draw, dilated: boolean) {
  const kernel = [between(1, 4), between(1, 4)] as const;
  const dilations = dilated ? ([between(1, 2), between(1, 2)] as const) : ([1, 1] as const);
  // Pads of pools have to be smaller than the kernel.
  const pad = (axis: 0 | 1) => between(0, kernel[axis] - 1);
  const pads = [pad(0), pad(1), pad(0), pad(1)];
  const side = (axis: 0 | 1) => dilations[axis] * (kernel[axis] - 1) + 1 + between(0, 6);
  const strides = [between(1, 3), between(1, 3)];
  return { kernel, dilations, pads, strides, height: side(0), width: side(1) };
}

function windowAttributes({ kernel, dilations, pads, strides }: ReturnType<typeof drawWindow>): Attributes {
  return {
    kernel_shape: { ints: kernel },
    strides: { ints: strides },
    pads: { ints: pads },
    dilations: { ints: dilations },
  };
}

const operators: Readonly<Record<string, (draw: Draw) => Drawn>> = {
  Conv: (draw) => {
    const window = drawWindow(draw, true);
    const [group, channels, filters] = [draw.between(1, 3), draw.between(1, 2), draw.between(1, 2)];
    const x = draw.input(draw.between(1, 2), group * channels, window.height, window.width);
    const w = draw.input(group * filters, channels, ...window.kernel);
    return { op: 'Conv', inputs: [x, w], attributes: { ...windowAttributes(window), group: { int: group } } };
  },
  ConvTranspose: (draw) => {
    const window = drawWindow(draw, true);
    const [group, channels, filters] = [draw.between(1, 3), draw.between(1, 2), draw.between(1, 2)];
    const x = draw.input(draw.between(1, 2), group * channels, window.height, window.width);
    const w = draw.input(group * channels, filters, ...window.kernel);
    const extra = window.strides.map((stride) => draw.between(0, stride - 1));
    const attributes = {
      ...windowAttributes(window),
      group: { int: group },
      output_padding: { ints: extra },
    };
    return { op: 'ConvTranspose', inputs: [x, w], attributes };
  },
  MaxPool: (draw) => {
    const window = drawWindow(draw, true);
    const x = draw.input(draw.between(1, 2), draw.between(1, 2), window.height, window.width);
    const ceil = { ceil_mode: { int: draw.between(0, 1) } };
    return { op: 'MaxPool', inputs: [x], attributes: { ...windowAttributes(window), ...ceil }, outputs: 2 };
  },
  AveragePool: (draw) => {
    const window = drawWindow(draw, false);
    const x = draw.input(draw.between(1, 2), draw.between(1, 2), window.height, window.width);
    const { dilations: _, ...attributes } = windowAttributes(window);
    const ceil = { ceil_mode: { int: draw.between(0, 1) } };
    return { op: 'AveragePool', inputs: [x], attributes: { ...attributes, ...ceil } };
  },
  Slice: (draw) => {
    const shape = [draw.between(1, 5), draw.between(1, 5), draw.between(1, 5)];
    const axes = draw.pick([[0], [2], [-1], [1, 2], [0, -1]]);
    const bound = () =>
      draw.pick([-9, -4, -2, -1, 0, 1, 2, 4, 9, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]);
    const list = (next: () => number) => draw.builder.integers(axes.map(next));
    const steps = list(() => draw.pick([-3, -1, 1, 2]));
    return {
      op: 'Slice',
      inputs: [draw.input(...shape), list(bound), list(bound), draw.builder.integers(axes), steps],
    };
  },
  Pad: (draw) => {
    const shape = [draw.between(2, 4), draw.between(2, 4), draw.between(2, 4)];
    const pads = Array.from({ length: 6 }, () => draw.between(0, 3));
    return { op: 'Pad', inputs: [draw.input(...shape), draw.builder.integers(pads)] };
  },
  Gather: (draw) => {
    const axis = draw.pick([0, 1, 2, -1, -3]);
    const indices = Array.from({ length: draw.between(1, 5) }, () => draw.pick([0, 1]));
    return {
      op: 'Gather',
      inputs: [draw.input(2, 3, 4), draw.builder.integers(indices)],
      attributes: { axis: { int: axis } },
    };
  },
  Split: (draw) => {
    const parts = Array.from({ length: draw.between(1, 4) }, () => draw.between(1, 3));
    const axis = draw.pick([0, 1, 2, -1, -3]);
    const shape = [2, 3, 4];
    shape[axis < 0 ? axis + 3 : axis] = parts.reduce((a, b) => a + b, 0);
    return {
      op: 'Split',
      inputs: [draw.input(...shape), draw.builder.integers(parts)],
      attributes: { axis: { int: axis } },
      outputs: parts.length,
    };
  },
  Concat: (draw) => {
    const axis = draw.pick([0, 1, 2, -1, -2]);
    const inputs = Array.from({ length: draw.between(1, 4) }, () => {
      const shape = [2, 3, 4];
      shape[axis < 0 ? axis + 3 : axis] = draw.between(1, 4);
      return draw.input(...shape);
    });
    return { op: 'Concat', inputs, attributes: { axis: { int: axis } } };
  },
  ReduceSum: (draw) => {
    const axes = draw.pick([[0], [1], [-1], [0, 2], [-3, 1], [2, 0, 1], [], undefined]);
    const x = draw.input(draw.between(1, 3), draw.between(1, 3), draw.between(1, 3));
    const attributes = draw.pick([{}, { keepdims: { int: 0 } }, { keepdims: { int: 1 } }]);
    return { op: 'ReduceSum', inputs: [x, axes && draw.builder.integers(axes)], attributes };
  },
  ArgMax: (draw) => ({
    op: 'ArgMax',
    inputs: [draw.input(2, 3, 4)],
    attributes: { axis: { int: draw.pick([0, 1, 2, -1, -3]) }, keepdims: { int: draw.between(0, 1) } },
  }),
  Reshape: (draw) => {
    const target = draw.pick([
      [24],
      [-1],
      [0, -1],
      [4, 6],
      [0, 0, -1],
      [3, -1, 2],
      [0, 12, 1],
      [2, 3, 4, 1],
      [-1, 0, 4],
    ]);
    return { op: 'Reshape', inputs: [draw.input(2, 3, 4), draw.builder.integers(target)] };
  },
  Flatten: (draw) => ({
    op: 'Flatten',
    inputs: [draw.input(2, 3, 4, 1)],
    attributes: draw.pick([{}, ...[0, 1, 2, 3, 4, -1, -2, -4].map((axis) => ({ axis: { int: axis } }))]),
  }),
  Transpose: (draw) => ({
    op: 'Transpose',
    inputs: [draw.input(2, 3, 4)],
    attributes: draw.pick([{}, { perm: { ints: [1, 2, 0] } }, { perm: { ints: [0, 2, 1] } }]),
  }),
  Expand: (draw) => {
    const target = draw.pick([[3, 4], [1], [5, 1, 4], [2, 3, 1], []]);
    return { op: 'Expand', inputs: [draw.input(3, draw.pick([1, 4])), draw.builder.integers(target)] };
  },
  MatMul: (draw) => {
    const [rows, inner, columns] = [draw.between(1, 4), draw.between(1, 4), draw.between(1, 4)];
    const [left, right] = draw.pick<[number[], number[]]>([
      [[], []],
      [[2], []],
      [[], [3]],
      [[2, 1], [3]],
      [[5], [5]],
    ]);
    return { op: 'MatMul', inputs: [draw.input(...left, rows, inner), draw.input(...right, inner, columns)] };
  },
  Gemm: (draw) => {
    const [rows, inner, columns] = [draw.between(1, 4), draw.between(1, 4), draw.between(1, 4)];
    const [transA, transB] = [draw.between(0, 1), draw.between(0, 1)];
    const a = transA ? [inner, rows] : [rows, inner];
    const b = transB ? [columns, inner] : [inner, columns];
    const attributes = { transA: { int: transA }, transB: { int: transB } };
    return { op: 'Gemm', inputs: [draw.input(...a), draw.input(...b)], attributes };
  },
  Add: (draw) => {
    const [a, b] = draw.pick<[number[], number[]]>([
      [[2, 3], [3]],
      [[], [2]],
      [
        [2, 1, 4],
        [3, 1],
      ],
      [[1], [1, 1]],
    ]);
    return { op: 'Add', inputs: [draw.input(...a), draw.input(...b)] };
  },
  Greater: (draw) => ({ op: 'Greater', inputs: [draw.input(2, 1), draw.input(3)] }),
  GlobalAveragePool: (draw) => ({
    op: 'GlobalAveragePool',
    inputs: [draw.input(2, 3, draw.between(1, 5), 4)],
  }),
};

for (const [op, draw] of Object.entries(operators))
  t.test(`${op} has the same shape and type as in ONNX Runtime`, async (t) => {
    const random = mulberry32(op.length);
    for (let round = 0; round < rounds; round++) {
      const builder = new GraphBuilder(op);
      let count = 0;
      const drawn = draw({
        builder,
        between: (low, high) => integerBetween(random, low, high),
        pick: (choices) => pick(random, choices),
        input: (...shape) => builder.input(`x${count++}`, shape),
      });
      await compare(t, builder, drawn);
    }
  });

async function compare(
  t: { same: (found: unknown, wanted: unknown, message: string) => boolean },
  builder: GraphBuilder,
  { op, inputs, attributes = {}, outputs = 1 }: Drawn,
): Promise<void> {
  const values = builder.ops(op, inputs, outputs, { attributes });
  for (const value of values) builder.output(value);
  const graph = builder.build();
  const feeds = Object.fromEntries(
    graph.inputs.map(({ name, type }) => [name, new Float32Array(elementCount(type.shape.map(Number)))]),
  );
  const results = await runGraph(graph, feeds);
  const constants = [...graph.initializers.values()].map(({ dims }) => `[${dims}]`);
  const shapes = inputs.map((input) => `[${input?.type.shape ?? ''}]`);
  const title = `${op} of ${shapes.join(' ')} ${JSON.stringify(attributes)} ${constants.length} constants`;
  for (const { name, type } of values) {
    const got = results[name];
    t.same({ dataType: got?.type, shape: got?.dims }, type, title);
  }
}
