// Tensors of images as the serving code makes them → what a graph takes: its layout, its element type, its batch size.

import { channelCount } from '../../inference/image/channels.js';
import type { InputContract } from '../../inference/image/contract.js';
import type { Tensor } from '../../inference/workers/runtime.js';
import { loadRuntime } from '../../inference/workers/runtime.js';
import type { Dim, Graph, TensorType, Value } from '../graph/graph.js';
import { QuantisationError } from './errors.js';

/** Tensors as the serving code makes them: [count, C, H, W], flat. */
export interface CalibrationBatch {
  readonly images: Float32Array;
  readonly count: number;
}

export interface ImageInput {
  readonly name: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** [N, H, W, C] instead of [N, C, H, W]. */
  readonly channelsLast: boolean;
  readonly dataType: 'float32' | 'uint8';
  /** Of which the batch is; left out, it is free. */
  readonly batch?: number;
}

/**
 * An image has 1 or 3 channels: where they stand tells the layout.
 * @throws QuantisationError when the graph does not take one batch of images.
 */
export function imageInput({ name: file, inputs }: Graph): ImageInput {
  const [input, ...others] = inputs;
  if (!input) throw new QuantisationError(`${file}: has no input`);
  const { name, type } = input;
  const bad = (problem: string) => new QuantisationError(`${file}: input ${name}: ${problem}`);
  if (others.length > 0)
    throw bad(`expected to be the only one, beside it is ${others.map((other) => other.name).join(', ')}`);
  if (type.dataType !== 'float32' && type.dataType !== 'uint8')
    throw bad(`expected float32 or uint8, got ${type.dataType}`);
  const [batch] = type.shape;
  const channelsLast = imageLayout(type) === 'NHWC';
  const { channels, height, width } = imageDims(type);
  if (type.shape.length !== 4 || ![channels, height, width].every((dim) => typeof dim === 'number'))
    throw bad(`expected [N, C, H, W] or [N, H, W, C] with sizes, got [${type.shape.join(', ')}]`);
  const sizes = { channels: Number(channels), height: Number(height), width: Number(width) };
  const fixed = typeof batch === 'number' ? { batch } : {};
  return { name, ...sizes, channelsLast, dataType: type.dataType, ...fixed };
}

export function imageLayout({ shape }: TensorType): 'NCHW' | 'NHWC' {
  const isChannels = (axis: number) => shape[axis] === 1 || shape[axis] === 3;
  return !isChannels(1) && isChannels(3) ? 'NHWC' : 'NCHW';
}

/** What a model's file says of the images it takes, as far as it does. */
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

/** The input's shape with what it leaves free from the contract. */
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
  /** The values in it, as the graph sees them. */
  readonly values: Float32Array;
}

/** A batch as the graph takes it; in parts where its own is smaller, the last of them filled up with the last image. */
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
