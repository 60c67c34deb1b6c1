// A convolution's gradient by its filters, as one blocked convolution over the whole batch.
import { staticShape } from '../graph/builder.js';
import { intsAttribute, type Value } from '../graph/graph.js';
import { windowOf } from '../graph/windows.js';
import type { BlockedContext, Lowered } from './blocked.js';
import { isDense } from './convolution.js';

/** Parts of the batch that run side by side, one a thread, and are added at the end. */
const batchParts = 2;

/**
 * dw[k, c, i, j] = sum over n, oy, ox of dy[n, k, oy, ox] x[n, c, oy + i, ox + j]: a convolution whose channels to sum over are
 * the images n, whose filters are dy, and whose input is x with the channels laid side by side along the width, [N, H, W C]. A
 * step of one pixel is then C columns: the width's dilation. The result's column j C + c is dw[k, c, i, j].
 * Width is padded beforehand: the kernel handles padded columns one at a time.
 */
export function blockedWeightGrad({ layouts, node, builder }: BlockedContext): Lowered | undefined {
  const [gradientName = '', xName = ''] = node.inputs;
  const shape = intsAttribute(node, 'shape', []);
  const [filters = 0, channels = 0, kernelHeight = 0, kernelWidth = 0] = shape;
  const window = windowOf(node, [kernelHeight, kernelWidth]);
  const [batch = 0] = staticShape(
    layouts.has(gradientName, 'plain') ? layouts.plain(gradientName) : layouts.blocked(gradientName),
  );
  const parts = batch % (layouts.block * batchParts) === 0 ? batchParts : 1;
  if (!isDense(window) || batch % layouts.block !== 0 || filters % layouts.block !== 0) return undefined;
  if (channels >= layouts.block && channels % layouts.block !== 0) return undefined;
  const gradient = layouts.blocked(gradientName);
  const [, , outHeight = 0, outWidth = 0] = staticShape(gradient);
  const [top, , bottom] = window.pads;
  const product = builder.op('nchwc.Conv', [imagesAsChannels(), gradientAsFilters()], {
    kernel_shape: { ints: [outHeight, outWidth] },
    dilations: { ints: [1, channels] },
    pads: { ints: [top, 0, bottom, 0] },
    group: { int: parts },
  });
  return { value: toFilterShape(product), layout: 'plain' };

  /** x as [1, N, H, W C], blocks of images. */
  function imagesAsChannels(): Value {
    const wide = xAsRows();
    const [, , height = 0, columns = 0] = staticShape(wide);
    const reordered = builder.op('nchwc.ReorderInput', [wide]);
    const [, left, , right] = window.pads;
    if (left + right === 0) return reordered;
    const blocks = [1, batch / layouts.block, height, columns, layouts.block];
    const unfolded = builder.op('Reshape', [reordered, builder.integers(blocks)]);
    const pads = [0, 0, 0, left * channels, 0, 0, 0, 0, right * channels, 0];
    const padded = builder.op('Pad', [unfolded, builder.integers(pads)]);
    const padded4 = [1, batch, height, columns + (left + right) * channels];
    return builder.op('Reshape', [padded, builder.integers(padded4)]);
  }

  function xAsRows(): Value {
    const rows = (value: Value, height: number, width: number) =>
      builder.op('Reshape', [value, builder.integers([1, batch, height, width * channels])]);
    if (layouts.has(xName, 'blocked')) {
      const blocked = layouts.blocked(xName);
      const [, , height = 0, width = 0] = staticShape(blocked);
      const attributes = { channels: { int: channels }, channels_last: { int: 1 } };
      return rows(builder.op('nchwc.ReorderOutput', [blocked], attributes), height, width);
    }
    const plain = layouts.plain(xName);
    const [, , height = 0, width = 0] = staticShape(plain);
    if (channels === 1) return rows(plain, height, width);
    return rows(builder.op('Transpose', [plain], { perm: { ints: [0, 2, 3, 1] } }), height, width);
  }

  /** dy as filters [parts K, N / parts, OH, OW], blocked over images and over filters. */
  function gradientAsFilters(): Value {
    const { block } = layouts;
    const split = [parts, batch / block / parts, block, filters / block, outHeight, outWidth, block];
    const unfolded = builder.op('Reshape', [gradient, builder.integers(split)]);
    const reordered = builder.op('Transpose', [unfolded], { perm: { ints: [0, 3, 1, 4, 5, 2, 6] } });
    return builder.op('Reshape', [
      reordered,
      builder.integers([parts * filters, batch / parts, outHeight, outWidth]),
    ]);
  }

  /** [1, parts K, kh, kw C] in blocks → [K, C, kh, kw]. */
  function toFilterShape(product: Value): Value {
    const split = [parts, filters / layouts.block, kernelHeight, kernelWidth, channels, layouts.block];
    const unfolded = builder.op('Reshape', [product, builder.integers(split)]);
    const sum = builder.op('ReduceSum', [unfolded, builder.integers([0])], { keepdims: { int: 0 } });
    const reordered = builder.op('Transpose', [sum], { perm: { ints: [0, 4, 3, 1, 2] } });
    return builder.op('Reshape', [reordered, builder.integers(shape)]);
  }
}
