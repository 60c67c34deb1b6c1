// One node → the blocked operators that compute it faster, or undefined if it has to stay in plain layout.
import { type GraphBuilder, staticShape } from '../graph/builder.js';
import { intAttribute, type Node, type Value } from '../graph/graph.js';
import type { Operator } from '../graph/shape-inference.js';
import { toIntegers } from '../graph/tensor-data.js';
import { type Window, windowOf } from '../graph/windows.js';
import { clipGrad, reluGrad } from './activations.js';
import { blockedWeightGrad } from './blocked-weight-grad.js';
import type { BlockedContext, Lowered } from './context.js';
import { flipped, isDense, reach } from './convolution.js';
import type { Layouts } from './layouts.js';
import { blockedBatchNormGrad, blockedBatchNormTraining } from './normalisation.js';

type BlockedRule = (context: BlockedContext) => Lowered[] | undefined;
type SingleRule = (context: BlockedContext) => Lowered | undefined;

export const blockedRules: Partial<Record<Operator, BlockedRule>> = {
  Add: elementwise('Add'),
  BatchNormGrad: blockedBatchNormGrad,
  BatchNormTraining: blockedBatchNormTraining,
  Clip: elementwise('Clip'),
  ClipGrad: single(({ layouts, node, builder }) => ifBlocked(layouts, node, (x) => clipGrad(builder, x))),
  Conv: single(conv),
  ConvInputGrad: single(convInputGrad),
  ConvWeightGrad: single(blockedWeightGrad),
  HardSwish: elementwise('HardSwish'),
  MaxPool: single(maxPool),
  MaxPoolGrad: single(maxPoolGrad),
  Mul: elementwise('Mul'),
  ReduceSum: single(sumOverImages),
  Relu: elementwise('Relu'),
  ReluGrad: single(({ layouts, node, builder }) => ifBlocked(layouts, node, (x) => reluGrad(builder, x))),
  Sigmoid: elementwise('Sigmoid'),
  Sub: elementwise('Sub'),
};

function single(rule: SingleRule): BlockedRule {
  return (context) => {
    const lowered = rule(context);
    return lowered && [lowered];
  };
}

function elementwise(op: Operator): BlockedRule {
  return single(({ builder, layouts, node }) =>
    ifBlocked(layouts, node, (inputs) => builder.op(op, inputs, node.attributes)),
  );
}

/** Computes in blocked layout if one input has it, and all inputs have one shape or are scalars. */
function ifBlocked(
  layouts: Layouts,
  { inputs }: Node,
  compute: (inputs: Value[]) => Value,
): Lowered | undefined {
  const first = inputs.find((name) => layouts.has(name, 'blocked'));
  if (first === undefined) return undefined;
  const shape = layouts.blocked(first).type.shape.join();
  const shapes = inputs.map((name) => layouts.shapeOf(name).join());
  if (shapes.some((other) => other !== shape && other !== '')) return undefined;
  const values = inputs.map((name, i) => (shapes[i] === '' ? layouts.plain(name) : layouts.blocked(name)));
  return { value: compute(values), layout: 'blocked' };
}

/** Reorders filters [K, C, kh, kw] into blocks of outputs, and of inputs unless there are fewer than a block. */
export function blockedFilters(builder: GraphBuilder, weight: Value, block: number): Value {
  const [filters = 0, channels = 0, height = 0, width = 0] = staticShape(weight);
  const few = channels < block;
  const [shape, perm] = few
    ? [
        [filters / block, block, channels, height, width],
        [0, 2, 3, 4, 1],
      ]
    : [
        [filters / block, block, channels / block, block, height, width],
        [0, 2, 4, 5, 3, 1],
      ];
  const unfolded = builder.op('Reshape', [weight, builder.integers(shape)]);
  const reordered = builder.op('Transpose', [unfolded], { perm: { ints: perm } });
  return builder.op('Reshape', [reordered, builder.integers(staticShape(weight))]);
}

function conv({ builder, layouts, node, fusesRelu }: BlockedContext): Lowered | undefined {
  const [xName = '', weightName = '', biasName] = node.inputs;
  const weight = layouts.plain(weightName);
  const [filters = 0, channels = 0, ...kernel] = staticShape(weight);
  const window = windowOf(node, kernel);
  const few = channels < layouts.block;
  if (window.group !== 1 || filters % layouts.block !== 0) return undefined;
  if (!few && channels % layouts.block !== 0) return undefined;
  const x = few ? layouts.plain(xName) : layouts.blocked(xName);
  const bias = biasName ? layouts.plain(biasName) : undefined;
  const value = builder.op('nchwc.Conv', [x, blockedFilters(builder, weight, layouts.block), bias], {
    ...windowAttributes(window),
    ...(fusesRelu && { activation: { string: 'Relu' } }),
  });
  return { value, layout: 'blocked' };
}

/** dx is the full correlation of dy with the filters, turned by 180 degrees and with inputs and outputs swapped. */
function convInputGrad({ builder, layouts, node }: BlockedContext): Lowered | undefined {
  const [gradientName = '', weightName = ''] = node.inputs;
  const weight = layouts.plain(weightName);
  const [filters = 0, channels = 0, ...kernel] = staticShape(weight);
  const window = windowOf(node, kernel);
  const [reachY, reachX] = reach(window);
  const [top, left, bottom, right] = window.pads;
  const pads = [reachY - top, reachX - left, reachY - bottom, reachX - right];
  const wholeBlocks = filters % layouts.block === 0 && channels % layouts.block === 0;
  if (!wholeBlocks || !isDense(window) || pads.some((pad) => pad < 0)) return undefined;
  const turned = blockedFilters(builder, flipped(builder, weight), layouts.block);
  const value = builder.op('nchwc.Conv', [layouts.blocked(gradientName), turned], {
    pads: { ints: pads },
    kernel_shape: { ints: window.kernel },
  });
  return { value, layout: 'blocked' };
}

/** Whether a pool's windows lie side by side, without gaps, overlaps or pads. */
function isTiled(node: Node): boolean {
  const { kernel, strides, pads, dilations } = windowOf(node, []);
  const odd = [...pads, ...dilations.map((d) => d - 1), intAttribute(node, 'ceil_mode', 0)];
  return kernel.join() === strides.join() && odd.every((n) => n === 0);
}

function maxPool({ builder, layouts, node }: BlockedContext): Lowered | undefined {
  const [x = ''] = node.inputs;
  if (!layouts.has(x, 'blocked') || !isTiled(node)) return undefined;
  return { value: builder.op('nchwc.MaxPool', [layouts.blocked(x)], node.attributes), layout: 'blocked' };
}

/**
 * dx = dy / ties where x is the maximum of its window, else 0. The blocked pool gives no indices, so the maximum is repeated
 * over its window and compared with x. Equal maxima share the gradient; in plain layout the first one gets all of it.
 */
function maxPoolGrad({ builder, layouts, node }: BlockedContext): Lowered | undefined {
  const [gradientName = '', xName = '', pooledName = ''] = node.inputs;
  if (!layouts.has(pooledName, 'blocked') || !isTiled(node)) return undefined;
  const [gradient, x, pooled] = [gradientName, xName, pooledName].map((name) => layouts.blocked(name));
  const { kernel } = windowOf(node, []);
  const [, , height = 0, width = 0] = staticShape(pooled as Value);
  const covered: [number, number] = [height * kernel[0], width * kernel[1]];
  const spread = (value: Value) =>
    builder.op('nchwc.Upsample', [value], { scales: { ints: [1, 1, ...kernel] } });
  const inside = cropTo(builder, layouts, x as Value, covered);
  const below = builder.op('Sub', [spread(pooled as Value), inside]);
  const winners = builder.op('HardSigmoid', [below], { alpha: { float: -1e30 }, beta: { float: 1 } });
  const share = builder.op('nchwc.AveragePool', [winners], node.attributes);
  const ties = builder.op('Mul', [share, builder.scalar(kernel[0] * kernel[1])]);
  const shared = spread(builder.op('Div', [gradient, ties]));
  const value = padTo(builder, layouts, builder.op('Mul', [shared, winners]), staticShape(x as Value));
  return { value, layout: 'blocked' };
}

/** Cuts off the rows and columns after the last whole window. */
function cropTo(builder: GraphBuilder, layouts: Layouts, x: Value, [height, width]: [number, number]): Value {
  const [batch = 0, channels = 0, fullHeight = 0, fullWidth = 0] = staticShape(x);
  if (fullHeight === height && fullWidth === width) return x;
  const unfolded = builder.op('Reshape', [x, builder.integers(layouts.unfolded(x))]);
  const [start, end, axes] = [
    [0, 0],
    [height, width],
    [2, 3],
  ].map((values) => builder.integers(values));
  const cropped = builder.op('Slice', [unfolded, start, end, axes]);
  return builder.op('Reshape', [cropped, builder.integers([batch, channels, height, width])]);
}

function padTo(builder: GraphBuilder, layouts: Layouts, x: Value, shape: readonly number[]): Value {
  const [, , height = 0, width = 0] = shape;
  const unfolded = layouts.unfolded(x);
  const [bottom, right] = [height - (unfolded[2] ?? 0), width - (unfolded[3] ?? 0)];
  if (bottom === 0 && right === 0) return x;
  const wide = builder.op('Reshape', [x, builder.integers(unfolded)]);
  const padded = builder.op('Pad', [wide, builder.integers([0, 0, 0, 0, 0, 0, 0, bottom, right, 0])]);
  return builder.op('Reshape', [padded, builder.integers(shape)]);
}

/** Sums a blocked value over batch, height and width, as the gradient of a bias needs it. The result is in plain layout. */
function sumOverImages({ builder, layouts, node }: BlockedContext): Lowered | undefined {
  const [x = '', axes = ''] = node.inputs;
  const data = builder.constantData(axes);
  const overImages = data !== undefined && toIntegers(data).join() === '0,2,3';
  if (!overImages || !layouts.has(x, 'blocked')) return undefined;
  const value = layouts.blocked(x);
  const [batch = 0, channels = 0, height = 0, width = 0] = staticShape(value);
  const blocks = channels / layouts.block;
  const rows = builder.op('Reshape', [
    value,
    builder.integers([batch, blocks, height * width, layouts.block]),
  ]);
  const perImage = builder.op('ReduceSum', [rows, builder.integers([2])], { keepdims: { int: 0 } });
  const flat = builder.op('Reshape', [perImage, builder.integers([batch, channels])]);
  const sum = builder.op('ReduceSum', [flat, builder.integers([0])], { keepdims: { int: 0 } });
  const keeps = node.attributes.keepdims;
  const kept = !(keeps && 'int' in keeps && keeps.int === 0);
  return {
    value: kept ? builder.op('Reshape', [sum, builder.integers([1, channels, 1, 1])]) : sum,
    layout: 'plain',
  };
}

function windowAttributes({ kernel, strides, pads, dilations }: Window): Node['attributes'] {
  return {
    kernel_shape: { ints: kernel },
    strides: { ints: strides },
    pads: { ints: pads },
    dilations: { ints: dilations },
  };
}
