// Gradients of pools in standard operators. For MaxPool the forward pool also gives the winners' indices: MaxUnpool scatters dy to them.
import { staticShape } from '../graph/builder.js';
import { UnsupportedOperatorError } from '../graph/errors.js';
import { intAttribute, type Node, type Value } from '../graph/graph.js';
import { windowOf } from '../graph/windows.js';
import { outputPadding, windowAttributes } from './convolution.js';
import type { LoweringContext } from './lower.js';

const indicesOf = (pooled: string) => `${pooled}.indices`;

/** The node with a second output if it is a MaxPool whose gradient is asked for. */
export function withIndices(node: Node, readers: ReadonlyMap<string, readonly Node[]>): Node {
  const [pooled = ''] = node.outputs;
  const differentiated = readers
    .get(pooled)
    ?.some(({ op, inputs }) => op === 'MaxPoolGrad' && inputs[2] === pooled);
  return node.op === 'MaxPool' && differentiated ? { ...node, outputs: [pooled, indicesOf(pooled)] } : node;
}

/** dx[i] = dy[o] where i is the first maximum of window o, else 0. Windows must not overlap. */
export function maxPoolGrad({ builder, node, inputs: [gradient, x, pooled] }: LoweringContext): Value {
  const { kernel, strides, pads, dilations } = windowOf(node, []);
  const overlaps = strides[0] < kernel[0] || strides[1] < kernel[1];
  if (overlaps || pads.some((pad) => pad !== 0) || dilations.some((dilation) => dilation !== 1)) {
    throw new UnsupportedOperatorError(
      `MaxPool ${node.name}: has a gradient only for windows that do not overlap, without pads and dilations ` +
        `(kernel ${kernel.join('x')}, strides ${strides.join('x')}, pads ${pads.join(',')})`,
    );
  }
  const shape = builder.integers(staticShape(x as Value));
  return builder.op('MaxUnpool', [gradient, builder.value(indicesOf(pooled?.name ?? '')), shape], {
    kernel_shape: { ints: kernel },
    strides: { ints: strides },
  });
}

/** dx = sum over the windows that hold a pixel of dy / (kh kw): a transposed convolution, a group a channel. */
export function averagePoolGrad({ builder, node, inputs: [gradient, x] }: LoweringContext): Value[] {
  const window = windowOf(node, []);
  const [height, width] = window.kernel;
  if (window.pads.some((pad) => pad !== 0) || intAttribute(node, 'ceil_mode', 0) === 1) {
    throw new UnsupportedOperatorError(
      `AveragePool ${node.name}: has a gradient only without pads and ceil_mode (pads ${window.pads.join(',')})`,
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
