// the body of an inference request, JSON with or without binary tensors → images, and the requested outputs.
import { Compile } from '#typebox/compile';
import type { InputContract } from '../../../inference/image/contract.js';
import { tensorLength } from '../../../inference/image/tensor.js';
import type { InferenceInput } from '../../../inference/pipeline.js';
import type { Config } from '../../config.js';
import { cut } from '../../cut.js';
import { ProblemError } from '../../errors.js';
import type { Pause } from '../body.js';
import { JsonView } from '../json/document.js';
import { jsonLimits } from '../limits.js';
import { parseJson } from '../parse-json.js';
import {
  appendNumbers,
  base64ToImage,
  checkBatch,
  checkImageBytes,
  checkValues,
  createBatch,
  describeJson,
  type ModelTensors,
  splitBatch,
  type TensorDescription,
} from '../tensors.js';
import { bytesToFloats, splitElements, wrongElements } from './binary.js';
import { InferRequest, type RequestInput, type RequestOutput } from './schemas.js';

export interface AskedOutput {
  name: string;
  binary: boolean;
  /** The number of classes, returned as Triton's `value:index:label`. */
  classification?: number;
}

export interface Asked {
  id?: string;
  images: InferenceInput[];
  outputs: AskedOutput[];
  /** Triton's `timeout`, converted from microseconds. */
  timeoutMs: number;
}

/** The model that the request is for, and the settings. */
export interface Target extends Pick<Config, 'maxBatch' | 'maxUploadBytes'> {
  tensors: ModelTensors;
  input: InputContract;
}

const schema = {
  checker: Compile(InferRequest),
  views: new Set(['data']),
  hint: '; bytes after it need Inference-Header-Content-Length',
};

/**
 * @param headerLength the value of Inference-Header-Content-Length: the bytes of the JSON. 0: the body is the file of one image.
 * @throws ProblemError bad_request, too_many_bytes; what `pause` throws
 */
export async function parseInferRequest(
  body: Buffer,
  headerLength: string | undefined,
  target: Target,
  pause: Pause,
): Promise<Asked> {
  const jsonBytes = readHeaderLength(body, headerLength);
  if (jsonBytes === 0) {
    checkImageBytes(body.length, 'The body', target);
    const outputs = target.tensors.outputs.map(({ name }) => ({ name, binary: true }));
    return { images: [{ bytes: body }], outputs, timeoutMs: Infinity };
  }
  const limits = jsonLimits(target.input, target.maxBatch);
  const request = await parseJson(body.subarray(0, jsonBytes), schema, limits, pause);
  const [first, ...others] = request.inputs.map((input) => findInput(input, target.tensors));
  if (!first || others.length > 0)
    throw new ProblemError(
      'bad_request',
      `inputs: expected one, ${describeInputs(target.tensors)}, got ${request.inputs.length}`,
    );
  const images = await readInput(first, body.subarray(jsonBytes), target, pause);
  return {
    ...(request.id === undefined ? {} : { id: request.id }),
    images,
    outputs: readOutputs(request, target.tensors.outputs),
    timeoutMs: readTimeout(request.parameters?.timeout),
  };
}

function readHeaderLength(body: Buffer, headerLength: string | undefined): number {
  if (headerLength === undefined) return body.length;
  const length = /^\d+$/.test(headerLength) ? Number(headerLength) : Number.NaN;
  if (length <= body.length) return length;
  const name = 'Inference-Header-Content-Length';
  throw new ProblemError('bad_request', `${name}: expected 0 to ${body.length}, got ${cut(headerLength)}`);
}

function describeInputs({ input, image }: ModelTensors): string {
  return [input, image].map(({ name, datatype, shape }) => `${name} ${datatype} [${shape}]`).join(' or ');
}

interface FoundInput {
  sent: RequestInput;
  described: TensorDescription;
}

function findInput(sent: RequestInput, tensors: ModelTensors): FoundInput {
  const described = [tensors.input, tensors.image].find(({ name }) => name === sent.name);
  if (!described)
    throw new ProblemError(
      'bad_request',
      `There is no input ${cut(sent.name)}: expected ${describeInputs(tensors)}`,
    );
  const { name, datatype, shape } = described;
  if (sent.datatype !== datatype)
    throw new ProblemError(
      'bad_request',
      `Input ${name}: expected datatype ${datatype}, got ${cut(sent.datatype)}`,
    );
  const [count, ...sizes] = sent.shape;
  if (count === undefined || String(sizes) !== String(shape.slice(1)))
    throw new ProblemError(
      'bad_request',
      `Input ${name}: expected shape [${shape}], got [${cut(String(sent.shape))}]`,
    );
  return { sent, described };
}

async function readInput(
  { sent, described }: FoundInput,
  rest: Buffer,
  target: Target,
  pause: Pause,
): Promise<InferenceInput[]> {
  const [count = 0] = sent.shape;
  checkBatch(count, target.maxBatch);
  const place = `Input ${described.name}`;
  const data = dataOf(sent, rest, place);
  if (described.datatype === 'BYTES') return await readImages(count, data, target, { place, pause });
  return splitBatch(readNumbers(sent, data, target, place), target.input);
}

/** Returns the bytes of the tensor after the JSON, or the value in the JSON that is the tensor. */
function dataOf({ data, parameters }: RequestInput, rest: Buffer, place: string): Buffer | JsonView {
  const size = parameters?.binary_data_size;
  if ((size === undefined) === (data === undefined))
    throw new ProblemError('bad_request', `${place}: expected either data or parameters.binary_data_size`);
  if (size !== undefined && (!Number.isInteger(size) || Number(size) < 0))
    throw new ProblemError(
      'bad_request',
      `${place}: binary_data_size: expected a number of bytes, got ${describeJson(size)}`,
    );
  const expected = Number(size ?? 0);
  if (expected !== rest.length)
    throw new ProblemError(
      'bad_request',
      `${place}: expected ${expected} bytes of binary data after the JSON, got ${rest.length}`,
    );
  return data ?? rest;
}

interface Reading {
  place: string;
  pause: Pause;
}

async function readImages(
  count: number,
  data: Buffer | JsonView,
  target: Target,
  { place, pause }: Reading,
): Promise<InferenceInput[]> {
  if (!(data instanceof JsonView))
    return splitElements(data, count, place).map((bytes) => {
      checkImageBytes(bytes.length, place, target);
      return { bytes };
    });
  const texts = data.kind === 'list' ? data.count : 1;
  if (texts !== count) throw wrongElements(place, count, texts);
  const images: InferenceInput[] = [];
  for (const text of data.kind === 'list' ? data.items() : [data])
    images.push(await base64ToImage(text, `${place} data[${images.length}]`, target, pause));
  return images;
}

function readNumbers(sent: RequestInput, data: Buffer | JsonView, { input }: Target, place: string) {
  const [count = 0] = sent.shape;
  const length = count * tensorLength(input);
  if (data instanceof JsonView) {
    const [first] = data.kind === 'list' ? data.items() : [];
    const batch = createBatch(input, count);
    appendNumbers(data, first?.kind === 'list' ? sent.shape : [length], batch, `${place} data`);
    return checkValues(batch.values, `${place} data`);
  }
  const bytes = length * (input.dataType === 'uint8' ? 1 : Float32Array.BYTES_PER_ELEMENT);
  if (data.length !== bytes)
    throw new ProblemError(
      'bad_request',
      `${place}: shape [${sent.shape}] of ${sent.datatype} needs ${bytes} bytes, got ${data.length}`,
    );
  return input.dataType === 'uint8' ? data : checkValues(bytesToFloats(data), place);
}

function readOutputs(
  { outputs, parameters }: InferRequest,
  known: readonly TensorDescription[],
): AskedOutput[] {
  const all = readFlag(parameters?.binary_data_output, 'binary_data_output') ?? false;
  const names = known.map(({ name }) => name);
  const asked: RequestOutput[] = outputs && outputs.length > 0 ? outputs : names.map((name) => ({ name }));
  return asked.map(({ name, parameters }, i) => {
    if (!names.includes(name))
      throw new ProblemError(
        'bad_request',
        `There is no output ${cut(name)}: expected ${names.join(' or ')}`,
      );
    if (asked.findIndex((other) => other.name === name) !== i)
      throw new ProblemError('bad_request', `Output ${name} is asked for twice`);
    const classification = readClassification(parameters?.classification, name);
    const binary = readFlag(parameters?.binary_data, `Output ${name}: binary_data`) ?? all;
    return { name, binary, ...(classification > 0 && { classification }) };
  });
}

function readFlag(value: unknown, place: string): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw new ProblemError('bad_request', `${place}: expected true or false, got ${describeJson(value)}`);
}

/** Returns 0 if no classification is requested. */
function readClassification(value: unknown, name: string): number {
  if (value === undefined) return 0;
  if (Number.isInteger(value) && Number(value) >= 0) return Number(value);
  throw new ProblemError(
    'bad_request',
    `Output ${name}: classification: expected a number of classes, got ${describeJson(value)}`,
  );
}

function readTimeout(value: unknown): number {
  if (value === undefined || value === 0) return Infinity;
  if (typeof value === 'number' && value > 0) return value / 1000;
  throw new ProblemError('bad_request', `timeout: expected microseconds, got ${describeJson(value)}`);
}
