// An ONNX classifier without a card → what its file states or its scores show: layout, type and size of images; kind of scores.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { InputContract } from '../../inference/image/contract.js';
import { createTensor, createTensorWriter, tensorLength } from '../../inference/image/tensor.js';
import { type Card, VariantName } from '../../inference/models/card.js';
import { openSession, readSignature } from '../../inference/workers/session.js';
import { GraphError } from '../graph/errors.js';
import { readOnnx } from '../graph/onnx.js';
import { findQuantised } from '../graph/quantised.js';
import { createRandom } from '../random.js';
import { EvaluationError } from './errors.js';

/** The images that a model takes. A missing size is open in the model. */
export type ForeignShape = Partial<Pick<InputContract, 'width' | 'height' | 'channels'>> &
  Required<Pick<InputContract, 'layout' | 'dataType'>>;

/**
 * Reads the shape of a model's images. The axis of size 1 or 3 holds the channels.
 * @param layout decides if both axes have such a size, or none.
 * @throws EvaluationError if the model takes no images, or its layout is not clear. @throws ModelError if it cannot be loaded.
 */
export async function readForeignShape(
  file: string,
  layout?: InputContract['layout'],
): Promise<ForeignShape> {
  const { inputType, inputShape } = await readSignature(file);
  if (inputType !== 'float32' && inputType !== 'uint8')
    throw new EvaluationError(`${file}: input: expected float32 or uint8, got ${inputType}`);
  const [, first, second, third] = inputShape.map(fixedSize);
  if (inputShape.length !== 4)
    throw new EvaluationError(
      `${file}: input: expected 4 dimensions such as [N, 3, 224, 224], got ${inputShape.length}`,
    );
  const chosen = layout ?? tellLayout(first, third);
  if (!chosen)
    throw new EvaluationError(
      `${file}: takes [${inputShape.join(', ')}]: the axis of the channels is ambiguous; give --layout nchw or --layout nhwc`,
    );
  const [channels, height, width] = chosen === 'nchw' ? [first, second, third] : [third, first, second];
  if (channels !== undefined && !isChannels(channels))
    throw new EvaluationError(`${file}: input: expected 1 or 3 channels, got ${channels}`);
  return {
    layout: chosen,
    dataType: inputType,
    ...(channels !== undefined && { channels: channels === 1 ? 'gray' : 'rgb' }),
    ...(height !== undefined && { height }),
    ...(width !== undefined && { width }),
  };
}

function tellLayout(first?: number, third?: number): InputContract['layout'] {
  const [front, back] = [isChannels(first), isChannels(third)];
  if (front === back) return undefined;
  return front ? 'nchw' : 'nhwc';
}

function isChannels(size: number | undefined): boolean {
  return size === 1 || size === 3;
}

function fixedSize(size: number | string): number | undefined {
  return typeof size === 'number' && size > 0 ? size : undefined;
}

const probes = 16;

/**
 * Finds out the kind of a model's scores by running it on black, white and noise. Scores that always lie in 0…1, and add up to
 * 1 if there are several, are probabilities. Otherwise one score needs a sigmoid, and several need a softmax.
 * @throws EvaluationError if several scores lie in 0…1 and add up to something else.
 */
export async function probeOutput(file: string, input: InputContract): Promise<Card['output']> {
  const session = await openSession(file, { input });
  const write = createTensorWriter(input);
  const rows: Float32Array[] = [];
  try {
    for (let i = 0; i < probes; i++) {
      const random = createRandom(1, 'probe', i);
      const pixels = Uint8Array.from({ length: tensorLength(input) }, () =>
        i < 2 ? 255 * i : Math.floor(256 * random.next()),
      );
      const tensor = createTensor(input, 1);
      write(pixels, tensor, 0);
      rows.push(await session.run(tensor, 1));
    }
  } finally {
    await session.release();
  }
  const [first] = rows;
  if (rows.every(isDistribution)) return 'probabilities';
  if (rows.every(isInside) && (first?.length ?? 0) > 1)
    throw new EvaluationError(
      `${file}: its scores lie in 0…1 but do not add up to 1: give --output probabilities if each is a confidence of its own, as of a sigmoid, or --output softmax if they are logits`,
    );
  return first?.length === 1 ? 'sigmoid' : 'softmax';
}

function isInside(scores: Float32Array): boolean {
  return scores.every((score) => score >= 0 && score <= 1);
}

function isDistribution(scores: Float32Array): boolean {
  const sum = scores.reduce((total, score) => total + score, 0);
  return isInside(scores) && (scores.length === 1 || Math.abs(sum - 1) < 1e-3);
}

/**
 * Reads the variant from a file's name: int8 from `int8.onnx`, `net.int8.onnx` or `net-int8.onnx`. The content decides for other names:
 * integer operators mean int8, half floats mean float16.
 */
export async function variantOfFile(file: string): Promise<VariantName> {
  const name = path.basename(file);
  const named = VariantName.enum.find((variant) => new RegExp(`(^|[^a-z0-9])${variant}\\.onnx$`).test(name));
  if (named) return named;
  const bytes = await readFile(file);
  try {
    return findQuantised(readOnnx(bytes, file).graph)?.variant ?? 'float32';
  } catch (error) {
    // ONNX Runtime may read a type that Quati does not.
    if (error instanceof GraphError) return 'float32';
    throw error;
  }
}
