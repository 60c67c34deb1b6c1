// Gradients of pools, in standard operators. The forward MaxPool also returns the indices of its maxima; dy is scattered to them.
import { staticShape } from '../graph/builder.js';
import { UnsupportedOperatorError } from '../graph/errors.js';
import { elementCount, intAttribute, type Node, type Value } from '../graph/graph.js';
import { windowOf } from '../graph/windows.js';
import type { LoweringContext } from './context.js';
import { outputPadding, windowAttributes } from './convolution.js';

const indicesOf = (pooled: string) => `${pooled}.indices`;

/** Adds the output of indices to a MaxPool that has a gradient; other nodes stay unchanged. */
export function withIndices(node: Node, readers: ReadonlyMap<string, readonly Node[]>): Node {
  const [pooled = ''] = node.outputs;
  const differentiated = readers
    .get(pooled)
    ?.some(({ op, inputs }) => op === 'MaxPoolGrad' && inputs[2] === pooled);
  return node.op === 'MaxPool' && differentiated ? { ...node, outputs: [pooled, indicesOf(pooled)] } : node;
}

/** dx[i] = sum of dy[o] over the windows o whose first maximum is i. Windows that do not overlap need no sum. */
export function maxPoolGrad({ builder, node, inputs: [gradient, x, pooled] }: LoweringContext): Value {
  const { kernel, strides } = windowOf(node, []);
  const shape = builder.integers(staticShape(x as Value));
  const indices = builder.value(indicesOf(pooled?.name ?? ''));
  if (liesApart(node))
    return builder.op('MaxUnpool', [gradient, indices, shape], {
      kernel_shape: { ints: kernel },
      strides: { ints: strides },
    });
  const flat = builder.integers([-1]);
  const nothing = builder.op('Expand', [
    builder.scalar(0),
    builder.integers([elementCount(staticShape(x as Value))]),
  ]);
  const summed = builder.op(
    'ScatterElements',
    [nothing, ...[indices, gradient].map((value) => builder.op('Reshape', [value, flat]))],
    { axis: { int: 0 }, reduction: { string: 'add' } },
  );
  return builder.op('Reshape', [summed, shape]);
}

/** Whether no two windows share a pixel and none crosses an edge, as MaxUnpool requires. */
function liesApart(node: Node): boolean {
  const { kernel, strides, pads, dilations } = windowOf(node, []);
  const overlaps = strides[0] < kernel[0] || strides[1] < kernel[1];
  const reachesOver = pads.some((pad) => pad !== 0) || intAttribute(node, 'ceil_mode', 0) === 1;
  return !overlaps && !reachesOver && dilations.every((dilation) => dilation === 1);
}

/** dx = sum of dy / (kh kw) over the windows that hold a pixel: a transposed convolution with one group per channel. */
export function averagePoolGrad({ builder, node, inputs: [gradient, x] }: LoweringContext): Value[] {
  const window = windowOf(node, []);
  const [height, width] = window.kernel;
  if (window.pads.some((pad) => pad !== 0) || intAttribute(node, 'ceil_mode', 0) === 1) {
    throw new UnsupportedOperatorError(
      `AveragePool ${node.name}: pads and ceil_mode are not supported in training (pads ${window.pads.join(',')})`,
    );
  }
  const shape = staticShape(x as Value);
  const channels = shape[1] ?? 1;
  const share = Array(channels * height * width).fill(1 / (height * width));
  const weight = builder.floats(share, [channels, 1, height, width]);
  const attributes = {
    ...windowAttributes(window),
    group: { int: channels },
    output_padding: { ints: outputPadding(window, staticShape(gradient as Value), shape) },
  };
  return [builder.op('ConvTranspose', [gradient, weight], attributes)];
}
