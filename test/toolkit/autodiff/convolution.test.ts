// Gradients of Conv, in every formulation of the lowering, against float64.
import t from 'tap';
import type { Attributes } from '../../../src/toolkit/graph/graph.js';
import { type Array64, type ConvSettings, conv2d } from '../../helpers/float64-reference.js';
import { type GradientCase, matchesReference, values } from '../../helpers/gradient-check.js';
import { integerBetween, mulberry32, pick } from '../../helpers/seeded-values.js';

interface ConvCase extends Required<ConvSettings> {
  /** [N, C, H, W] */
  readonly x: readonly [number, number, number, number];
  /** [K, C / groups, kh, kw] */
  readonly w: readonly [number, number, number, number];
  readonly bias: boolean;
}

const plain: Required<ConvSettings> = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], groups: 1 };

function attributesOf({ strides, pads, dilations, groups, w }: ConvCase): Attributes {
  return {
    kernel_shape: { ints: w.slice(2) },
    strides: { ints: strides },
    pads: { ints: pads },
    dilations: { ints: dilations },
    group: { int: groups },
  };
}

function gradientCase(settings: ConvCase, seed: number): GradientCase {
  const random = mulberry32(seed);
  const { x, w, bias } = settings;
  return {
    seed,
    samples: 24,
    inputs: { x: values(random, ...x), w: values(random, ...w), ...(bias && { b: values(random, w[0]) }) },
    graph: (builder, { x, w, b }) => builder.op('Conv', [x, w, b], attributesOf(settings)),
    reference: ({ x, w, b }) => conv2d(x as Array64, w as Array64, b, settings),
  };
}

function describe({ x, w, strides, pads, dilations, groups, bias }: ConvCase): string {
  return (
    `x [${x}] w [${w}] strides ${strides} pads ${pads} dilations ${dilations} groups ${groups}` +
    `${bias ? '' : ' without bias'}`
  );
}

const named: readonly [string, Partial<ConvCase> & Pick<ConvCase, 'x' | 'w'>][] = [
  ['the first layer of mnist-cnn, smaller', { x: [2, 1, 8, 8], w: [4, 1, 3, 3] }],
  ['16 input channels, where dx is a Conv with turned weights', { x: [1, 16, 6, 5], w: [3, 16, 3, 3] }],
  ['15 input channels, where dx is a ConvTranspose', { x: [1, 15, 6, 5], w: [3, 15, 3, 3] }],
  ['16 input channels with pads', { x: [1, 16, 5, 6], w: [2, 16, 3, 3], pads: [1, 1, 1, 1] }],
  ['16 input channels, asymmetric pads', { x: [2, 16, 5, 4], w: [2, 16, 3, 2], pads: [0, 1, 2, 0] }],
  [
    '16 input channels, more pads than the kernel reaches',
    { x: [1, 16, 4, 4], w: [2, 16, 2, 2], pads: [2, 2, 1, 3] },
  ],
  ['16 input channels, strides', { x: [1, 16, 7, 8], w: [2, 16, 3, 3], strides: [2, 2] }],
  ['16 input channels, a kernel of one pixel', { x: [2, 16, 3, 4], w: [5, 16, 1, 1] }],
  ['a kernel of one pixel, stride 2', { x: [2, 3, 5, 6], w: [4, 3, 1, 1], strides: [2, 2] }],
  ['a kernel as large as the image', { x: [2, 3, 5, 4], w: [2, 3, 5, 4] }],
  ['strides that step over the last rows and columns', { x: [1, 2, 8, 9], w: [2, 2, 3, 2], strides: [3, 4] }],
  ['dilations', { x: [2, 3, 9, 8], w: [2, 3, 3, 3], dilations: [2, 2], pads: [1, 2, 0, 1] }],
  ['strides and dilations', { x: [1, 2, 11, 10], w: [3, 2, 3, 2], strides: [2, 3], dilations: [2, 1] }],
  ['5x5, pads of 2', { x: [1, 2, 7, 6], w: [3, 2, 5, 5], pads: [2, 2, 2, 2] }],
];

for (const [title, settings] of named)
  t.test(`Conv: ${title}`, async (t) => {
    for (const bias of [true, false]) {
      const complete = { ...plain, ...settings, bias };
      await matchesReference(t, describe(complete), gradientCase(complete, 3));
    }
  });

t.test('Conv: gradients are correct for random shapes, strides, pads and dilations', async (t) => {
  const random = mulberry32(20);
  for (let i = 0; i < 60; i++) {
    const settings = randomCase(random);
    await matchesReference(t, `${i}: ${describe(settings)}`, gradientCase(settings, i));
  }
});

t.test('Conv: the gradient by the input is correct for groups and for one filter per channel', async (t) => {
  const cases: readonly (readonly [ConvCase['x'], ConvCase['w'], number])[] = [
    [[2, 4, 5, 6], [6, 2, 3, 3], 2],
    [[1, 6, 5, 5], [6, 1, 3, 3], 6],
    [[1, 32, 4, 4], [32, 1, 3, 3], 32],
  ];
  for (const [x, w, groups] of cases)
    for (const strides of [
      [1, 1],
      [2, 2],
    ] as const) {
      const settings: ConvCase = { ...plain, x, w, groups, strides, pads: [1, 1, 1, 1], bias: false };
      const { inputs, graph, reference, ...rest } = gradientCase(settings, 5);
      const { data, shape } = inputs.w as Array64;
      await matchesReference(t, describe(settings), {
        ...rest,
        inputs: { x: inputs.x as Array64 },
        graph: (builder, { x }) => graph(builder, { x: x as never, w: builder.floats([...data], shape) }),
        reference: ({ x }) => reference({ x: x as Array64, w: inputs.w as Array64 }),
      });
    }
});

for (const groups of [2, 4]) {
  const settings: ConvCase = { ...plain, x: [2, 4, 7, 6], w: [8, 4 / groups, 3, 2], groups, bias: true };
  t.test(`Conv: the gradients by image, weights and bias are correct for ${groups} groups`, async (t) =>
    matchesReference(t, describe(settings), gradientCase(settings, groups)),
  );
}

function randomCase(random: () => number): ConvCase {
  const between = (low: number, high: number) => integerBetween(random, low, high);
  const pair = (draw: () => number): [number, number] => [draw(), draw()];
  const kernel = pair(() => pick(random, [1, 2, 3, 5]));
  const dilations = pair(() => between(1, 2));
  const pads = [between(0, 2), between(0, 2), between(0, 2), between(0, 2)] as const;
  const side = (axis: 0 | 1) => {
    const reach = dilations[axis] * (kernel[axis] - 1) + 1;
    return Math.max(1, reach - pads[axis] - pads[axis === 0 ? 2 : 3]) + between(0, 5);
  };
  const channels = pick(random, [1, 2, 3, 16, 17]);
  return {
    x: [between(1, 3), channels, side(0), side(1)],
    w: [between(1, 5), channels, ...kernel],
    // Half of them dense: that is where the formulations differ.
    ...(random() < 0.5
      ? { strides: [1, 1], dilations: [1, 1] }
      : { strides: pair(() => between(1, 3)), dilations }),
    pads: [...pads],
    groups: 1,
    bias: random() < 0.5,
  };
}
