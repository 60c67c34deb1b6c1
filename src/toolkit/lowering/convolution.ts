// The two gradients of Conv, in standard operators.
import { type GraphBuilder, staticShape } from '../graph/builder.js';
import { intsAttribute, type Node, type Value } from '../graph/graph.js';
import { type Window, windowOf } from '../graph/windows.js';
import type { LoweringContext } from './context.js';

/** With fewer input channels, ConvTranspose is faster than Conv with flipped filters (measured: 1.4 ms against 5.8 ms at 6 channels). */
const flippedFromChannels = 16;

/**
 * dx of y = x * w is the full correlation of dy with w turned by 180 degrees. With stride 1 it is a Conv, whose pads are the
 * window's reach less the forward pads. ConvTranspose computes the same for every stride and group.
 */
export function convInputGrad({ builder, node, inputs: [gradient, weight] }: LoweringContext): Value {
  const [dy, w] = [gradient as Value, weight as Value];
  const window = windowOf(node, staticShape(w).slice(2));
  const shape = intsAttribute(node, 'shape', []);
  const [top, left, bottom, right] = window.pads;
  const [reachY, reachX] = reach(window);
  const flippable = isDense(window) && (shape[1] ?? 0) >= flippedFromChannels;
  const pads = [reachY - top, reachX - left, reachY - bottom, reachX - right];
  if (flippable && pads.every((pad) => pad >= 0)) {
    return builder.op('Conv', [dy, flipped(builder, w)], { pads: { ints: pads } });
  }
  return builder.op('ConvTranspose', [dy, w], {
    ...windowAttributes(window),
    output_padding: { ints: outputPadding(window, staticShape(dy), shape) },
  });
}

/**
 * dw of y = x * w: dw[k, c, i, j] = sum over batch, oy, ox of dy[k, oy, ox] x[c, oy s + i d, ox s + j d].
 * It is one matrix product per image, dy as [K, OH OW] times the transposed windows of x as [C kh kw, OH OW], summed over images.
 */
export function convWeightGrad({ builder, node, inputs: [gradient, input] }: LoweringContext): Value {
  const [dy, x] = [gradient as Value, input as Value];
  const shape = intsAttribute(node, 'shape', []);
  const window = windowOf(node, shape.slice(2));
  return isDense(window)
    ? shiftedProducts(builder, dy, x, window, shape)
    : windowProducts(builder, dy, x, window, shape);
}

/**
 * Stride 1: kw copies of x, shifted along the width, and kh copies of dy, shifted along the height, replace kh kw copies of x.
 * One product multiplies them: [kh K, R OW] times [R OW, kw C], where R is the padded height. It multiplies some zeros but
 * copies less, and copies cost more than products here.
 */
function shiftedProducts(
  builder: GraphBuilder,
  dy: Value,
  x: Value,
  window: Window,
  shape: readonly number[],
): Value {
  const [filters = 0, channels = 0, kernelHeight = 0, kernelWidth = 0] = shape;
  const [batch = 0, , outHeight = 0, outWidth = 0] = staticShape(dy);
  const padded = padSpatial(builder, x, window.pads);
  const rows = outHeight + kernelHeight - 1;
  const columns = Array.from({ length: kernelWidth }, (_, j) =>
    crop(builder, padded, [0, j], [rows, outWidth], [1, 1]),
  );
  const shifts = Array.from({ length: kernelHeight }, (_, i) =>
    padSpatial(builder, dy, [i, 0, kernelHeight - 1 - i, 0]),
  );
  const product = multiplyImages(
    builder,
    flattenImages(builder, concatChannels(builder, shifts), batch, kernelHeight * filters),
    flattenImages(builder, concatChannels(builder, columns), batch, kernelWidth * channels),
  );
  const split = builder.integers([kernelHeight, filters, kernelWidth, channels]);
  return builder.op('Transpose', [builder.op('Reshape', [product, split])], { perm: { ints: [1, 3, 0, 2] } });
}

/** Any stride, dilation and group: one strided crop of x for each of the kh kw kernel positions, and one product per group. */
function windowProducts(
  builder: GraphBuilder,
  dy: Value,
  x: Value,
  window: Window,
  shape: readonly number[],
): Value {
  const [filters = 0, channelsPerGroup = 0, kernelHeight = 0, kernelWidth = 0] = shape;
  const [batch = 0, , outHeight = 0, outWidth = 0] = staticShape(dy);
  const { group, strides, dilations } = window;
  const pixels = outHeight * outWidth;
  const padded = padSpatial(builder, x, window.pads);
  const crops = Array.from({ length: kernelHeight * kernelWidth }, (_, position) => {
    const start: [number, number] = [
      Math.floor(position / kernelWidth) * dilations[0],
      (position % kernelWidth) * dilations[1],
    ];
    const cropped = crop(builder, padded, start, [outHeight, outWidth], strides);
    return builder.op('Reshape', [cropped, builder.integers([batch, group, channelsPerGroup, pixels])]);
  });
  const columns = crops.length === 1 ? crops[0] : builder.op('Concat', crops, { axis: { int: 2 } });
  const rows = builder.op('Reshape', [dy, builder.integers([batch, group, filters / group, pixels])]);
  const turned = builder.op('Transpose', [columns], { perm: { ints: [0, 1, 3, 2] } });
  const products = builder.op('MatMul', [rows, turned]);
  const sum = builder.op('ReduceSum', [products, builder.integers([0])], { keepdims: { int: 0 } });
  const split = builder.integers([filters, kernelHeight, kernelWidth, channelsPerGroup]);
  return builder.op('Transpose', [builder.op('Reshape', [sum, split])], { perm: { ints: [0, 3, 1, 2] } });
}

/** The sum over images of a b^T. ONNX Runtime fuses the transpose into the product. */
function multiplyImages(builder: GraphBuilder, a: Value, b: Value): Value {
  const products = builder.op('MatMul', [a, builder.op('Transpose', [b], { perm: { ints: [0, 2, 1] } })]);
  return builder.op('ReduceSum', [products, builder.integers([0])], { keepdims: { int: 0 } });
}

function flattenImages(builder: GraphBuilder, x: Value, batch: number, rows: number): Value {
  return builder.op('Reshape', [x, builder.integers([batch, rows, -1])]);
}

function concatChannels(builder: GraphBuilder, values: readonly Value[]): Value {
  const [only] = values;
  return values.length === 1 && only ? only : builder.op('Concat', values, { axis: { int: 1 } });
}

function padSpatial(builder: GraphBuilder, x: Value, [top, left, bottom, right]: Window['pads']): Value {
  if (top + left + bottom + right === 0) return x;
  return builder.op('Pad', [x, builder.integers([0, 0, top, left, 0, 0, bottom, right])]);
}

/** Takes `size` samples, `step` apart, from `start` on, along height and width. */
function crop(
  builder: GraphBuilder,
  x: Value,
  start: readonly [number, number],
  size: readonly [number, number],
  step: readonly [number, number],
): Value {
  const end = size.map((count, axis) => (start[axis] ?? 0) + (count - 1) * (step[axis] ?? 1) + 1);
  return builder.op('Slice', [
    x,
    builder.integers(start),
    builder.integers(end),
    builder.integers([2, 3]),
    builder.integers(step),
  ]);
}

/** [K, C, kh, kw] → [C, K, kh, kw] turned by 180 degrees. */
export function flipped(builder: GraphBuilder, w: Value): Value {
  const turned = builder.op('Slice', [
    w,
    builder.integers([-1, -1]),
    builder.integers([Number.MIN_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]),
    builder.integers([2, 3]),
    builder.integers([-1, -1]),
  ]);
  return builder.op('Transpose', [turned], { perm: { ints: [1, 0, 2, 3] } });
}

export function isDense({ strides, dilations, group }: Window): boolean {
  return group === 1 && [...strides, ...dilations].every((step) => step === 1);
}

export function reach({ kernel, dilations }: Window): [number, number] {
  return [dilations[0] * (kernel[0] - 1), dilations[1] * (kernel[1] - 1)];
}

/** Returns how many rows and columns at the end of the input no window reached, because of the stride. */
export function outputPadding(window: Window, dy: readonly number[], x: readonly number[]): number[] {
  const [reachY, reachX] = reach(window);
  const [top, left, bottom, right] = window.pads;
  return [
    (x[2] ?? 0) - (window.strides[0] * ((dy[2] ?? 0) - 1) + reachY + 1 - top - bottom),
    (x[3] ?? 0) - (window.strides[1] * ((dy[3] ?? 0) - 1) + reachX + 1 - left - right),
  ];
}

export function windowAttributes({ strides, pads, dilations, group }: Window): Node['attributes'] {
  return {
    strides: { ints: strides },
    pads: { ints: pads },
    dilations: { ints: dilations },
    group: { int: group },
  };
}
