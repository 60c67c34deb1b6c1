// A convolution's gradient with respect to its filters, as one blocked convolution over the whole batch.
import { type GraphBuilder, staticShape } from '../graph/builder.js';
import { intsAttribute, type Value } from '../graph/graph.js';
import { type Window, windowOf } from '../graph/windows.js';
import type { BlockedContext, Lowered } from './context.js';
import type { Layouts } from './layouts.js';

/** Parts of the batch. Each runs on a thread of its own; their results are added. */
const batchParts = 2;

/** Pixels of a tile of dy. So few stay in a core's cache while they slide along x (the fastest of 32 to 1024, measured). */
const tilePixels = 128;

/** Fewest rows of a tile. Tiles overlap in x by kernel height - 1 rows; copying them costs more than the cache saves if tiles are lower. */
const lowestTile = 4;

/** The sizes of y = x * w, and how dy is cut into tiles. */
interface Cut {
  /** Shape of w: [K, C, kh, kw]. */
  readonly shape: readonly number[];
  readonly window: Window;
  readonly block: number;
  readonly batch: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly parts: number;
  /** Rows of dy in a tile, and tiles in an image. */
  readonly tile: number;
  readonly tiles: number;
}

/**
 * dw[k, c, i, j] = sum over n, oy, ox of dy[n, k, oy, ox] x[n, c, oy s + i, ox s + j].
 *
 * This is a convolution too. It sums over the images n as over channels. Its filters are dy. Its input is x with the
 * channels side by side along the width, [N, H, W C]. A step of s pixels is s C columns there, which is the dilation of
 * the width. Column j C + c of the result is dw[k, c, i, j]. The rows oy are cut into tiles, and each tile counts as an image.
 * @returns undefined if the sizes do not fill whole blocks.
 */
export function blockedWeightGrad({ layouts, node, builder }: BlockedContext): Lowered | undefined {
  const [gradientName = '', xName = ''] = node.inputs;
  const { block } = layouts;
  const shape = intsAttribute(node, 'shape', []);
  const [filters = 0, channels = 0] = shape;
  const window = windowOf(node, shape.slice(2));
  const [batch = 0, , outHeight = 0, outWidth = 0] = layouts.shapeOf(gradientName).map(Number);
  if (window.group !== 1 || window.dilations.some((step) => step !== 1)) return undefined;
  if (batch % block !== 0 || filters % block !== 0) return undefined;
  if (channels >= block && channels % block !== 0) return undefined;
  const parts = batch % (block * batchParts) === 0 ? batchParts : 1;
  const tile = tileRows(outHeight, outWidth);
  const cut = { shape, window, block, batch, outHeight, outWidth, parts, tile, tiles: outHeight / tile };
  const images = imagesAsChannels(builder, channelsLast(builder, layouts, xName), cut);
  const gradient = gradientAsFilters(builder, layouts.blocked(gradientName), cut);
  const [strideY, strideX] = window.strides;
  const product = builder.op('nchwc.Conv', [images, gradient], {
    kernel_shape: { ints: [tile, outWidth] },
    dilations: { ints: [strideY, strideX * channels] },
    group: { int: parts },
  });
  return { value: toFilterShape(builder, product, cut), layout: 'plain' };
}

function tileRows(height: number, width: number): number {
  const wanted = Math.max(lowestTile, Math.floor(tilePixels / width));
  const rows = Array.from({ length: height }, (_, i) => i + 1);
  return rows.find((tile) => tile >= wanted && height % tile === 0) ?? height;
}

/** Returns x as [N, H, W, C]. */
function channelsLast(builder: GraphBuilder, layouts: Layouts, name: string): Value {
  if (layouts.has(name, 'blocked')) {
    const blocked = layouts.blocked(name);
    const channels = { int: Number(blocked.type.shape[1]) };
    return builder.op('nchwc.ReorderOutput', [blocked], { channels, channels_last: { int: 1 } });
  }
  const plain = layouts.plain(name);
  const [batch = 0, channels = 0, height = 0, width = 0] = staticShape(plain);
  if (channels === 1) return builder.op('Reshape', [plain, builder.integers([batch, height, width, 1])]);
  return builder.op('Transpose', [plain], { perm: { ints: [0, 2, 3, 1] } });
}

/** x [N, H, W, C] → [1, N tiles, rows, W C], in blocks of images. */
function imagesAsChannels(builder: GraphBuilder, x: Value, cut: Cut): Value {
  const { batch, block, tile, tiles, window } = cut;
  const [, height = 0, width = 0, channels = 0] = staticShape(x);
  const wide = builder.op('Reshape', [x, builder.integers([1, batch, height, width * channels])]);
  const reordered = builder.op('nchwc.ReorderInput', [wide]);
  const blocks = [1, batch / block, height, width * channels, block];
  const padded = padToWindows(
    builder,
    builder.op('Reshape', [reordered, builder.integers(blocks)]),
    channels,
    cut,
  );
  const [strideY] = window.strides;
  const rows = (tile - 1) * strideY + window.kernel[0];
  const rowsOfTiles = Array.from({ length: tiles * rows }, (_, i) => {
    const first = Math.floor(i / rows) * tile * strideY;
    return first + (i % rows);
  });
  const tiled =
    tiles === 1
      ? padded
      : builder.op('Gather', [padded, builder.integers(rowsOfTiles)], { axis: { int: 2 } });
  const columns = Number(padded.type.shape[3]);
  return builder.op('Reshape', [tiled, builder.integers([1, batch * tiles, rows, columns])]);
}

/**
 * Pads x before the convolution, because its kernel is slow at padded columns. A negative pad cuts off what no window reaches
 * after the last one.
 */
function padToWindows(
  builder: GraphBuilder,
  x: Value,
  channels: number,
  { window, outHeight, outWidth }: Cut,
): Value {
  const [, , height = 0, columns = 0] = staticShape(x);
  const [top, left] = window.pads;
  const behind = (axis: 0 | 1, outputs: number, before: number, size: number) =>
    (outputs - 1) * window.strides[axis] + window.kernel[axis] - before - size;
  const bottom = behind(0, outHeight, top, height);
  const right = behind(1, outWidth, left, columns / channels);
  if ([top, left, bottom, right].every((pad) => pad === 0)) return x;
  const pads = [0, 0, top, left * channels, 0, 0, 0, bottom, right * channels, 0];
  return builder.op('Pad', [x, builder.integers(pads)]);
}

/** Returns dy as filters [parts K, N tiles / parts, tile, OW], in blocks of images and of filters. */
function gradientAsFilters(builder: GraphBuilder, gradient: Value, cut: Cut): Value {
  const { shape, block, batch, outWidth, parts, tile, tiles } = cut;
  const [filters = 0] = shape;
  const split = [parts, batch / block / parts, block, filters / block, tiles, tile * outWidth, block];
  const unfolded = builder.op('Reshape', [gradient, builder.integers(split)]);
  const reordered = builder.op('Transpose', [unfolded], { perm: { ints: [0, 3, 1, 4, 5, 2, 6] } });
  const filterShape = [parts * filters, (batch * tiles) / parts, tile, outWidth];
  return builder.op('Reshape', [reordered, builder.integers(filterShape)]);
}

/** [1, parts K, kh, kw C] in blocks → [K, C, kh, kw]. */
function toFilterShape(builder: GraphBuilder, product: Value, { shape, block, parts }: Cut): Value {
  const [filters = 0, channels = 0, kernelHeight = 0, kernelWidth = 0] = shape;
  const split = [parts, filters / block, kernelHeight, kernelWidth, channels, block];
  const unfolded = builder.op('Reshape', [product, builder.integers(split)]);
  const sum = builder.op('ReduceSum', [unfolded, builder.integers([0])], { keepdims: { int: 0 } });
  const reordered = builder.op('Transpose', [sum], { perm: { ints: [0, 4, 3, 1, 2] } });
  return builder.op('Reshape', [reordered, builder.integers(shape)]);
}
