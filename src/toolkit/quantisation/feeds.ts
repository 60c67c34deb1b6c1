// Tensors of images as the serving code makes them → what a graph takes: its layout, its element type, its batch size.

import { channelCount } from '../../inference/image/channels.js';
import type { InputContract } from '../../inference/image/contract.js';
import type { Tensor } from '../../inference/workers/runtime.js';
import { loadRuntime } from '../../inference/workers/runtime.js';
import type { Dim, Graph, TensorType, Value } from '../graph/graph.js';
import { QuantisationError } from './errors.js';

/** Images as the serving code makes them, [count, C, H, W], flat. */
export interface CalibrationBatch {
  readonly images: Float32Array;
  readonly count: number;
}

export interface ImageInput {
  readonly name: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Whether the layout is [N, H, W, C] instead of [N, C, H, W]. */
  readonly channelsLast: boolean;
  readonly dataType: 'float32' | 'uint8';
  /** Fixed batch size; undefined if the batch axis is dynamic. */
  readonly batch?: number;
}

/**
 * Describes a graph's input. Images have 1 or 3 channels; the place of that size in the shape determines the layout.
 * @throws QuantisationError if the graph's only input is not a batch of images.
 */
export function imageInput({ name: file, inputs }: Graph): ImageInput {
  const [input, ...others] = inputs;
  if (!input) throw new QuantisationError(`${file}: has no input`);
  const { name, type } = input;
  const bad = (problem: string) => new QuantisationError(`${file}: input ${name}: ${problem}`);
  if (others.length > 0)
    throw bad(
      `expected to be the only input, but there is also ${others.map((other) => other.name).join(', ')}`,
    );
  if (type.dataType !== 'float32' && type.dataType !== 'uint8')
    throw bad(`expected float32 or uint8, got ${type.dataType}`);
  const [batch] = type.shape;
  const channelsLast = imageLayout(type) === 'NHWC';
  const { channels, height, width } = imageDims(type);
  if (type.shape.length !== 4 || ![channels, height, width].every((dim) => typeof dim === 'number'))
    throw bad(`expected [N, C, H, W] or [N, H, W, C] with fixed C, H and W, got [${type.shape.join(', ')}]`);
  const sizes = { channels: Number(channels), height: Number(height), width: Number(width) };
  const fixed = typeof batch === 'number' ? { batch } : {};
  return { name, ...sizes, channelsLast, dataType: type.dataType, ...fixed };
}

/** Returns the layout of a batch of images; NCHW if the shape does not determine it. */
function imageLayout({ shape }: TensorType): 'NCHW' | 'NHWC' {
  const isChannels = (axis: number) => shape[axis] === 1 || shape[axis] === 3;
  return !isChannels(1) && isChannels(3) ? 'NHWC' : 'NCHW';
}

/** Returns width, height and channels of the images that a model takes, as far as its file states them. */
export function declaredImage({
  type,
}: Value): Partial<Pick<InputContract, 'width' | 'height' | 'channels'>> {
  const { channels, height, width } = imageDims(type);
  return {
    ...(typeof width === 'number' && { width }),
    ...(typeof height === 'number' && { height }),
    ...(channels === 1 && { channels: 'gray' as const }),
    ...(channels === 3 && { channels: 'rgb' as const }),
  };
}

/** Returns the layout and the element type of the images that a model takes. */
export function declaredForm({ type }: Value): Required<Pick<InputContract, 'layout' | 'dataType'>> {
  return {
    layout: imageLayout(type) === 'NHWC' ? 'nhwc' : 'nchw',
    dataType: type.dataType === 'uint8' ? 'uint8' : 'float32',
  };
}

/** Returns the input's shape. Dimensions that the file leaves open come from the contract. */
export function statedShape({ type }: Value, input: InputContract): Dim[] {
  const batch = type.shape[0] ?? 'N';
  const { width, height } = input;
  const channels = channelCount(input);
  return imageLayout(type) === 'NHWC' ? [batch, height, width, channels] : [batch, channels, height, width];
}

function imageDims(type: TensorType): { channels?: Dim; height?: Dim; width?: Dim } {
  const [, ...image] = type.shape;
  const [channels, height, width] =
    imageLayout(type) === 'NHWC' ? [image[2], image[0], image[1]] : [image[0], image[1], image[2]];
  return {
    ...(channels !== undefined && { channels }),
    ...(height !== undefined && { height }),
    ...(width !== undefined && { width }),
  };
}

export interface Feed {
  readonly feeds: Record<string, Tensor>;
  /** The input's values, before rounding to bytes. */
  readonly values: Float32Array;
}

/**
 * Returns a function that turns a batch into the graph's inputs. If the graph's batch size is fixed, the batch is split into
 * parts of that size, and the last image fills the last part.
 */
export async function createFeeder(input: ImageInput): Promise<(batch: CalibrationBatch) => Iterable<Feed>> {
  const { Tensor } = await loadRuntime();
  const { name, channels, height, width, channelsLast, dataType } = input;
  const length = channels * height * width;
  const shape = channelsLast ? [height, width, channels] : [channels, height, width];
  return function* ({ images, count }) {
    const atOnce = input.batch ?? count;
    for (let first = 0; first < count; first += atOnce) {
      const values = new Float32Array(atOnce * length);
      for (let i = 0; i < atOnce; i++) {
        const at = Math.min(first + i, count - 1) * length;
        const image = images.subarray(at, at + length);
        values.set(channelsLast ? toChannelsLast(image, channels) : image, i * length);
      }
      const data = dataType === 'uint8' ? Uint8Array.from(values, Math.round) : values;
      yield { feeds: { [name]: new Tensor(dataType, data as never, [atOnce, ...shape]) }, values };
    }
  };
}

function toChannelsLast(image: Float32Array, channels: number): Float32Array {
  const plane = image.length / channels;
  return Float32Array.from(
    image,
    (_, i) => image[(i % channels) * plane + Math.floor(i / channels)] ?? Number.NaN,
  );
}
