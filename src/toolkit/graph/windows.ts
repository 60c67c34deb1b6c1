// Sliding windows of convolutions and pools: attributes and input shape → output shape.
import { GraphError } from './errors.js';
import { type Dim, intAttribute, intsAttribute, type Node, stringAttribute } from './graph.js';

/** A window over height and width, in this order. Pads are [top, left, bottom, right]. */
export interface Window {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
  readonly dilations: readonly [number, number];
  readonly group: number;
}

/** Reads a node's window. @throws GraphError if the node pads automatically or is not two-dimensional. */
export function windowOf(node: Node, kernel: readonly number[]): Window {
  const auto = stringAttribute(node, 'auto_pad', 'NOTSET');
  if (auto !== 'NOTSET' && auto !== 'VALID') {
    throw new GraphError(`${node.op} ${node.name}: auto_pad ${auto} is not supported; state the pads`);
  }
  const [kernelHeight, kernelWidth] = intsAttribute(node, 'kernel_shape', kernel);
  const [strideY = 1, strideX = 1] = intsAttribute(node, 'strides', [1, 1]);
  const [top = 0, left = 0, bottom = 0, right = 0] = intsAttribute(node, 'pads', [0, 0, 0, 0]);
  const [dilationY = 1, dilationX = 1] = intsAttribute(node, 'dilations', [1, 1]);
  if (kernelHeight === undefined || kernelWidth === undefined) {
    throw new GraphError(`${node.op} ${node.name}: expected a kernel of two dimensions`);
  }
  return {
    kernel: [kernelHeight, kernelWidth],
    strides: [strideY, strideX],
    pads: [top, left, bottom, right],
    dilations: [dilationY, dilationX],
    group: intAttribute(node, 'group', 1),
  };
}

/**
 * output = floor((input + padBefore + padAfter - dilation * (kernel - 1) - 1) / stride) + 1, per axis. ceil_mode rounds up,
 * unless the last window would start after the end of the input.
 */
function spatialOutput(node: Node, shape: readonly Dim[], window: Window): [number, number] {
  const roundsUp = intAttribute(node, 'ceil_mode', 0) === 1;
  const [height, width] = ([0, 1] as const).map((axis) => {
    const input = numericSize(node, shape, axis);
    const padded = input + window.pads[axis] + window.pads[axis === 0 ? 2 : 3];
    const reach = window.dilations[axis] * (window.kernel[axis] - 1) + 1;
    const positions = (padded - reach) / window.strides[axis];
    const up = Math.ceil(positions);
    const startsInside = up * window.strides[axis] < input + window.pads[axis];
    const size = (roundsUp && startsInside ? up : Math.floor(positions)) + 1;
    if (size < 1) {
      throw new GraphError(
        `${node.op} ${node.name}: a kernel of ${window.kernel.join('x')} does not fit into [${shape.join(', ')}]`,
      );
    }
    return size;
  });
  return [height ?? 0, width ?? 0];
}

export function convOutput(
  node: Node,
  x: readonly Dim[],
  weight: readonly Dim[],
  bias: readonly Dim[] = [weight[0] ?? 0],
): Dim[] {
  const [batch = 0, channels] = x;
  const [filters = 0, channelsPerGroup, ...kernel] = weight;
  const window = windowOf(node, kernel.map(Number));
  if (Number(channelsPerGroup) * window.group !== channels) {
    throw new GraphError(
      `${node.op} ${node.name}: weight channels (dim 1): expected ${Number(channels) / window.group}, got ${channelsPerGroup}`,
    );
  }
  if (bias.join() !== `${filters}`) {
    throw new GraphError(`${node.op} ${node.name}: bias: expected [${filters}], got [${bias.join(', ')}]`);
  }
  return [batch, filters, ...spatialOutput(node, x, window)];
}

export function poolOutput(node: Node, x: readonly Dim[]): Dim[] {
  const [batch = 0, channels = 0] = x;
  return [batch, channels, ...spatialOutput(node, x, windowOf(node, []))];
}

/** output = stride * (input - 1) + dilation * (kernel - 1) + 1 - padBefore - padAfter + outputPadding, per axis. */
export function transposedConvOutput(node: Node, x: readonly Dim[], weight: readonly Dim[]): Dim[] {
  const [batch = 0, channels] = x;
  const [weightChannels, filtersPerGroup, ...kernel] = weight;
  if (weightChannels !== channels) {
    throw new GraphError(
      `${node.op} ${node.name}: weight channels (dim 0): expected ${channels}, got ${weightChannels}`,
    );
  }
  const window = windowOf(node, kernel.map(Number));
  const extra = intsAttribute(node, 'output_padding', [0, 0]);
  const spatial = ([0, 1] as const).map(
    (axis) =>
      window.strides[axis] * (numericSize(node, x, axis) - 1) +
      window.dilations[axis] * (window.kernel[axis] - 1) +
      1 -
      window.pads[axis] -
      window.pads[axis === 0 ? 2 : 3] +
      (extra[axis] ?? 0),
  );
  return [batch, Number(filtersPerGroup) * window.group, ...spatial];
}

function numericSize(node: Node, shape: readonly Dim[], axis: 0 | 1): number {
  const size = shape[axis + 2];
  if (shape.length !== 4 || typeof size !== 'number') {
    throw new GraphError(
      `${node.op} ${node.name}: expected an input [N, C, H, W], got [${shape.join(', ')}]`,
    );
  }
  return size;
}
