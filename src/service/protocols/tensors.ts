// a model's card → the tensors that the protocols describe; a client's numbers → images for the model.

import { channelCount } from '../../inference/image/channels.js';
import type { InputContract } from '../../inference/image/contract.js';
import { createTensor, type TensorValues, tensorLength } from '../../inference/image/tensor.js';
import type { Card } from '../../inference/models/card.js';
import type { InferenceInput } from '../../inference/pipeline.js';
import { ProblemError } from '../errors.js';

export interface TensorDescription {
  name: string;
  datatype: 'FP32' | 'UINT8' | 'BYTES';
  /** -1 for a dynamic size. */
  shape: number[];
}

/** A request has one of two inputs: the numbers that enter the model, or image files that Quati decodes. */
export interface ModelTensors {
  input: TensorDescription;
  image: TensorDescription;
  outputs: TensorDescription[];
}

/**
 * `scores` is the output of the model. `probabilities` has one value per label, computed as the card says. A model that returns
 * probabilities has no `scores`.
 */
export function describeTensors({ input, output, labels }: Card): ModelTensors {
  const datatype = input.dataType === 'uint8' ? 'UINT8' : 'FP32';
  const probabilities = fp32('probabilities', [-1, labels.length]);
  // One sigmoid output may stand for two labels; the card does not contain the number of outputs.
  const scores = fp32('scores', [-1, output === 'sigmoid' && labels.length === 2 ? -1 : labels.length]);
  return {
    input: { name: 'input', datatype, shape: [-1, ...imageShape(input)] },
    image: { name: 'image', datatype: 'BYTES', shape: [-1] },
    outputs: output === 'probabilities' ? [probabilities] : [scores, probabilities],
  };
}

function fp32(name: string, shape: number[]): TensorDescription {
  return { name, datatype: 'FP32', shape };
}

/** Channels, height, width; for the layout nhwc height, width, channels. */
export function imageShape(input: InputContract): number[] {
  const { width, height, layout } = input;
  return layout === 'nhwc' ? [height, width, channelCount(input)] : [channelCount(input), height, width];
}

/** @throws ProblemError bad_request if a request has no image, or more than `maxBatch`. */
export function checkBatch(count: number, maxBatch: number): void {
  if (count < 1 || count > maxBatch)
    throw new ProblemError('bad_request', `Batch: expected 1 to ${maxBatch} images, got ${count}`);
}

/** Converts JSON lists, nested like `shape`, to numbers of the model's type. @throws ProblemError bad_request with the place. */
export function listToTensor(
  data: unknown,
  shape: readonly number[],
  input: InputContract,
  place: string,
): TensorValues {
  const count = shape.reduce((product, size) => product * size, 1) / tensorLength(input);
  const values = createTensor(input, count);
  fill(data, shape, { values, used: 0 }, place);
  return checkValues(values, place);
}

interface Filling {
  values: TensorValues;
  used: number;
}

function fill(data: unknown, [size, ...inner]: readonly number[], filling: Filling, place: string): void {
  if (size === undefined) {
    filling.values[filling.used++] = toNumber(data, filling.values, place);
    return;
  }
  if (!Array.isArray(data) || data.length !== size) {
    const got = Array.isArray(data) ? `a list of ${data.length}` : describeJson(data);
    throw new ProblemError('bad_request', `${place}: expected a list of ${size}, got ${got}`);
  }
  if (inner.length > 0) for (const [i, item] of data.entries()) fill(item, inner, filling, `${place}[${i}]`);
  else for (const item of data) filling.values[filling.used++] = toNumber(item, filling.values, place);
}

function toNumber(value: unknown, { BYTES_PER_ELEMENT }: TensorValues, place: string): number {
  const isByte = BYTES_PER_ELEMENT === 1;
  const fits = isByte ? Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 255 : true;
  if (typeof value === 'number' && fits) return value;
  const expected = isByte ? 'integers from 0 to 255' : 'numbers';
  throw new ProblemError('bad_request', `${place}: expected ${expected}, got ${describeJson(value)}`);
}

/** @throws ProblemError bad_request if a float is not finite. */
export function checkValues(values: TensorValues, place: string): TensorValues {
  if (values instanceof Uint8Array) return values;
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return values;
  throw new ProblemError(
    'bad_request',
    `${place}: value ${at} is ${values[at]}: expected finite float32 values`,
  );
}

/** Splits the values of a batch into one input per image; each is a view. */
export function splitBatch(values: TensorValues, input: InputContract): InferenceInput[] {
  const length = tensorLength(input);
  return Array.from({ length: values.length / length }, (_, i) => ({
    tensor: values.subarray(i * length, (i + 1) * length),
  }));
}

/** @throws ProblemError bad_request if the text is not base64, or is empty. */
export function base64ToImage(text: unknown, place: string): InferenceInput {
  if (typeof text !== 'string' || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(text))
    throw new ProblemError(
      'bad_request',
      `${place}: expected an image file in base64, got ${describeJson(text)}`,
    );
  return { bytes: Buffer.from(text, 'base64') };
}

/** Describes any JSON value in a few characters, for an error. */
export function describeJson(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null)
    return `an object with ${Object.keys(value).slice(0, 5).join(', ') || 'no keys'}`;
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
