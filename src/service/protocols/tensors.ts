// a model's card → the tensors that the protocols describe; a client's numbers → images for the model.

import { channelCount } from '../../inference/image/channels.js';
import type { InputContract } from '../../inference/image/contract.js';
import { createTensor, type TensorValues, tensorLength } from '../../inference/image/tensor.js';
import type { Card } from '../../inference/models/card.js';
import type { InferenceInput } from '../../inference/pipeline.js';
import type { Config } from '../config.js';
import { cut } from '../cut.js';
import { ProblemError } from '../errors.js';
import { bareBase64, decodeBase64, decodedLength } from './base64.js';
import type { Pause } from './body.js';
import { JsonView } from './json/document.js';
import { tag } from './json/tape.js';

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

/** Room for the numbers of a batch; `used` of them are written. */
export interface BatchValues {
  values: TensorValues;
  used: number;
}

export function createBatch(input: InputContract, count: number): BatchValues {
  return { values: createTensor(input, count), used: 0 };
}

/** Appends the numbers of JSON lists that are nested like `shape`. @throws ProblemError bad_request with the place. */
export function appendNumbers(
  list: JsonView,
  [size = 0, ...inner]: readonly number[],
  batch: BatchValues,
  place: string,
): void {
  if (list.kind !== 'list' || list.count !== size)
    throw new ProblemError('bad_request', `${place}: expected a list of ${size}, got ${list.describe()}`);
  if (inner.length === 0) appendRow(list, batch, place);
  else {
    let i = 0;
    for (const item of list.items()) appendNumbers(item, inner, batch, `${place}[${i++}]`);
  }
}

function appendRow(list: JsonView, batch: BatchValues, place: string): void {
  const { tags, payloads } = list.document.tape;
  const isByte = batch.values instanceof Uint8Array;
  const first = list.index + 2;
  // As long as all items are numbers, each has one entry.
  for (let i = 0; i < list.count; i++) {
    const value = payloads[first + i] as number;
    if (tags[first + i] !== tag.number || (isByte && !isByteValue(value)))
      throw new ProblemError(
        'bad_request',
        `${place}: expected ${isByte ? 'integers from 0 to 255' : 'numbers'}, got ${new JsonView(list.document, first + i).describe()}`,
      );
    batch.values[batch.used++] = value;
  }
}

function isByteValue(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 255;
}

/** @throws ProblemError bad_request if a float is not finite. */
export function checkValues(values: TensorValues, place: string): TensorValues {
  if (values instanceof Uint8Array) return values;
  let at = 0;
  // Twice as fast as findIndex for a large batch.
  while (at < values.length && Number.isFinite(values[at])) at++;
  if (at === values.length) return values;
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

/** @throws ProblemError bad_request if the value is not base64 text, or is empty; too_many_bytes; what `pause` throws */
export async function base64ToImage(
  value: JsonView,
  place: string,
  { maxUploadBytes }: Pick<Config, 'maxUploadBytes'>,
  pause: Pause,
): Promise<InferenceInput> {
  const wrong = () =>
    new ProblemError(
      'bad_request',
      `${place}: expected an image file in base64 or as a data: URI in base64, got ${value.describe()}`,
    );
  if (value.kind !== 'text') throw wrong();
  const text = await bareBase64(value.textBytes, pause);
  if (!text) throw wrong();
  checkImageBytes(decodedLength(text), place, { maxUploadBytes });
  const bytes = await decodeBase64(text, pause);
  if (!bytes) throw wrong();
  return { bytes };
}

/** @throws ProblemError too_many_bytes */
export function checkImageBytes(
  length: number,
  place: string,
  { maxUploadBytes }: Pick<Config, 'maxUploadBytes'>,
): void {
  if (length > maxUploadBytes)
    throw new ProblemError('too_many_bytes', `${place}: the image has more than ${maxUploadBytes} bytes`);
}

/** Describes a small value in a few characters, for an error. */
export function describeJson(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof JsonView) return value.describe();
  if (typeof value === 'object' && value !== null)
    return `an object with ${cut(Object.keys(value).slice(0, 5).join(', ')) || 'no keys'}`;
  // JSON.stringify would make 1e400 null.
  return typeof value === 'number' ? String(value) : cut(JSON.stringify(value), 40);
}
