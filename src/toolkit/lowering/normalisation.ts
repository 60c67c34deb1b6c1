// Batch normalisation with the statistics of the batch, and its gradient, in plain and in blocked layout.
import { type GraphBuilder, staticShape } from '../graph/builder.js';
import { elementCount, floatAttribute, type Value } from '../graph/graph.js';
import type { BlockedContext, Lowered, LoweringContext } from './context.js';

/** What the formulas need from a layout: means per channel, and products with one number per channel. */
interface ChannelOperations {
  /** The mean over all axes except the channels: [1, C, 1, 1] or [1, C]. */
  mean(x: Value): Value;
  /** x * factor + offset (+ addend), with factor and offset [1, C, 1, 1]. */
  affine(x: Value, factor: Value, offset: Value, addend?: Value): Value;
}

const outputs = 5;

/**
 * mean = E[x]; variance = E[(x - mean)²]; y = scale (x - mean) / sqrt(variance + epsilon) + bias. The variance is computed
 * from x - mean, because E[x²] - mean² loses precision where both are large.
 * @returns y, mean, variance, x - mean, 1 / sqrt(variance + epsilon): the outputs of BatchNormTraining.
 */
function normalise(
  { builder, node }: Pick<LoweringContext, 'builder' | 'node'>,
  [x, scale, bias]: readonly Value[],
  channel: ChannelOperations,
): Value[] {
  const vector = builder.integers([-1]);
  const wide = (value: Value | undefined) => alongChannels(builder, value as Value, x as Value);
  const mean = channel.mean(x as Value);
  const one = ones(builder, x as Value);
  const centred = channel.affine(x as Value, one, builder.op('Neg', [mean]));
  const variance = channel.mean(builder.op('Mul', [centred, centred]));
  const epsilon = builder.scalar(floatAttribute(node, 'epsilon', 1e-5));
  const deviation = builder.op('Sqrt', [builder.op('Add', [variance, epsilon])]);
  const inverse = builder.op('Div', [builder.scalar(1), deviation]);
  const y = channel.affine(centred, builder.op('Mul', [inverse, wide(scale)]), wide(bias));
  const [flatMean, flatVariance, flatInverse] = [mean, variance, inverse].map((value) =>
    builder.op('Reshape', [value, vector]),
  );
  return [y, flatMean, flatVariance, centred, flatInverse] as Value[];
}

/**
 * With h = (x - mean) r, r = 1 / sqrt(variance + epsilon): dbias = sum dy, dscale = sum dy h,
 * dx = scale r (dy - E[dy] - h E[dy h]). Sums and means are over all axes except the channels.
 */
function normaliseGrad(
  builder: GraphBuilder,
  [gradient, centred, inverse, scale]: readonly Value[],
  channel: ChannelOperations,
): Value[] {
  const [dy, x] = [gradient as Value, centred as Value];
  const wide = (value: Value | undefined) => alongChannels(builder, value as Value, x);
  const shape = staticShape(x);
  const perChannel = elementCount(shape) / (shape[1] ?? 1);
  const r = wide(inverse);
  const meanDy = channel.mean(dy);
  const meanDyX = channel.mean(builder.op('Mul', [dy, x]));
  const factor = builder.op('Mul', [wide(scale), r]);
  const ofCentred = builder.op('Mul', [factor, builder.op('Mul', [builder.op('Mul', [r, r]), meanDyX])]);
  const correction = channel.affine(
    x,
    builder.op('Neg', [ofCentred]),
    builder.op('Neg', [builder.op('Mul', [factor, meanDy])]),
  );
  const dx = channel.affine(dy, factor, builder.op('Mul', [factor, builder.scalar(0)]), correction);
  const total = (mean: Value) =>
    builder.op('Reshape', [builder.op('Mul', [mean, builder.scalar(perChannel)]), builder.integers([-1])]);
  return [dx, total(builder.op('Mul', [meanDyX, r])), total(meanDy)];
}

function alongChannels(builder: GraphBuilder, vector: Value, x: Value): Value {
  return builder.op('Reshape', [vector, builder.integers(channelShape(x))]);
}

function channelShape(x: Value): number[] {
  return staticShape(x).map((dim, axis) => (axis === 1 ? dim : 1));
}

function ones(builder: GraphBuilder, x: Value): Value {
  const shape = channelShape(x);
  return builder.floats(Array(elementCount(shape)).fill(1), shape);
}

function plainOperations(builder: GraphBuilder): ChannelOperations {
  return {
    mean(x) {
      const shape = staticShape(x);
      const axes = shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
      const sum = builder.op('ReduceSum', [x, builder.integers(axes)], { keepdims: { int: 1 } });
      return builder.op('Mul', [sum, builder.scalar((shape[1] ?? 1) / elementCount(shape))]);
    },
    affine(x, factor, offset, addend) {
      const moved = builder.op('Add', [builder.op('Mul', [x, factor]), offset]);
      return addend ? builder.op('Add', [moved, addend]) : moved;
    },
  };
}

/** A 1x1 convolution with one group per channel computes x * factor + offset + addend in one pass. */
function blockedOperations(builder: GraphBuilder): ChannelOperations {
  return {
    mean(x) {
      const [batch = 1, channels = 1] = staticShape(x);
      // With one pixel per image, blocked and plain layout are the same.
      const perImage = builder.op('nchwc.GlobalAveragePool', [x]);
      const sum = builder.op('ReduceSum', [perImage, builder.integers([0])], { keepdims: { int: 1 } });
      const mean = builder.op('Mul', [sum, builder.scalar(1 / batch)]);
      return builder.op('Reshape', [mean, builder.integers([1, channels, 1, 1])]);
    },
    affine(x, factor, offset, addend) {
      const [, channels = 1] = staticShape(x);
      const weight = builder.op('Reshape', [factor, builder.integers([channels, 1, 1, 1])]);
      const bias = builder.op('Reshape', [offset, builder.integers([channels])]);
      return builder.op('nchwc.Conv', [x, weight, bias, addend], {
        kernel_shape: { ints: [1, 1] },
        group: { int: channels },
      });
    },
  };
}

export function batchNormTraining({ builder, node, inputs }: LoweringContext): Value[] {
  return normalise({ builder, node }, inputs, plainOperations(builder));
}

export function batchNormGrad({ builder, inputs }: LoweringContext): Value[] {
  return normaliseGrad(builder, inputs, plainOperations(builder));
}

export function blockedBatchNormTraining({ builder, layouts, node }: BlockedContext): Lowered[] | undefined {
  const [x = '', ...vectors] = node.inputs;
  if (!layouts.has(x, 'blocked')) return undefined;
  const inputs = [layouts.blocked(x), ...vectors.map((name) => layouts.plain(name))];
  const values = normalise({ builder, node }, inputs, blockedOperations(builder));
  return values.map((value, i) => ({ value, layout: i === 0 || i === outputs - 2 ? 'blocked' : 'plain' }));
}

export function blockedBatchNormGrad({ builder, layouts, node }: BlockedContext): Lowered[] | undefined {
  const [gradient = '', centred = '', ...vectors] = node.inputs;
  if (!layouts.has(centred, 'blocked')) return undefined;
  const images = [gradient, centred].map((name) => layouts.blocked(name));
  const inputs = [...images, ...vectors.map((name) => layouts.plain(name))];
  const values = normaliseGrad(builder, inputs, blockedOperations(builder));
  return values.map((value, i) => ({ value, layout: i === 0 ? 'blocked' : 'plain' }));
}
