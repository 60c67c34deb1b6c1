// the body of an inference request, JSON with or without binary tensors → images, and the requested outputs.
import { Compile } from '#typebox/compile';
import type { InputContract } from '../../../inference/image/contract.js';
import { tensorLength } from '../../../inference/image/tensor.js';
import type { InferenceInput } from '../../../inference/pipeline.js';
import { ProblemError } from '../../errors.js';
import { parseJson } from '../body.js';
import {
  base64ToImage,
  checkBatch,
  checkValues,
  listToTensor,
  type ModelTensors,
  splitBatch,
  type TensorDescription,
} from '../tensors.js';
import { bytesToFloats, splitElements } from './binary.js';
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

/** The model that the request is for. */
export interface Target {
  tensors: ModelTensors;
  input: InputContract;
  maxBatch: number;
}

const validator = Compile(InferRequest);
const separation = '; bytes after it need Inference-Header-Content-Length';

/**
 * @param headerLength the value of Inference-Header-Content-Length: the bytes of the JSON. 0: the body is the file of one image.
 * @throws ProblemError bad_request
 */
export function parseInferRequest(body: Buffer, headerLength: string | undefined, target: Target): Asked {
  const jsonBytes = readHeaderLength(body, headerLength);
  if (jsonBytes === 0) {
    const outputs = target.tensors.outputs.map(({ name }) => ({ name, binary: true }));
    return { images: [{ bytes: body }], outputs, timeoutMs: Infinity };
  }
  const request = parseJson(body.toString('utf8', 0, jsonBytes), validator, separation);
  const [first, ...others] = request.inputs.map((input) => findInput(input, target.tensors));
  if (!first || others.length > 0)
    throw new ProblemError(
      'bad_request',
      `inputs: expected one, ${describeInputs(target.tensors)}, got ${request.inputs.length}`,
    );
  const images = readInput(first, body.subarray(jsonBytes), target);
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
  throw new ProblemError('bad_request', `${name}: expected 0 to ${body.length}, got ${headerLength}`);
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
      `There is no input ${sent.name}: expected ${describeInputs(tensors)}`,
    );
  const { name, datatype, shape } = described;
  if (sent.datatype !== datatype)
    throw new ProblemError(
      'bad_request',
      `Input ${name}: expected datatype ${datatype}, got ${sent.datatype}`,
    );
  const [count, ...sizes] = sent.shape;
  if (count === undefined || String(sizes) !== String(shape.slice(1)))
    throw new ProblemError('bad_request', `Input ${name}: expected shape [${shape}], got [${sent.shape}]`);
  return { sent, described };
}

function readInput({ sent, described }: FoundInput, rest: Buffer, target: Target): InferenceInput[] {
  const [count = 0] = sent.shape;
  checkBatch(count, target.maxBatch);
  const place = `Input ${described.name}`;
  const binary = binaryOf(sent, rest, place);
  if (described.datatype === 'BYTES') return readImages(sent, binary, place);
  return splitBatch(readNumbers(sent, binary, target, place), target.input);
}

/** Returns the bytes of the tensor after the JSON; undefined if the JSON contains the tensor. */
function binaryOf({ data, parameters }: RequestInput, rest: Buffer, place: string): Buffer | undefined {
  const size = parameters?.binary_data_size;
  if ((size === undefined) === (data === undefined))
    throw new ProblemError('bad_request', `${place}: expected either data or parameters.binary_data_size`);
  if (size !== undefined && (!Number.isInteger(size) || Number(size) < 0))
    throw new ProblemError(
      'bad_request',
      `${place}: binary_data_size: expected a number of bytes, got ${size}`,
    );
  const expected = Number(size ?? 0);
  if (expected !== rest.length)
    throw new ProblemError(
      'bad_request',
      `${place}: expected ${expected} bytes of binary data after the JSON, got ${rest.length}`,
    );
  return size === undefined ? undefined : rest;
}

function readImages({ shape: [count = 0], data }: RequestInput, binary: Buffer | undefined, place: string) {
  const elements = binary ? splitElements(binary, place) : [data].flat();
  if (elements.length !== count)
    throw new ProblemError('bad_request', `${place}: expected ${count} elements, got ${elements.length}`);
  return elements.map((element, i) =>
    Buffer.isBuffer(element) ? { bytes: element } : base64ToImage(element, `${place} data[${i}]`),
  );
}

function readNumbers(sent: RequestInput, binary: Buffer | undefined, { input }: Target, place: string) {
  const length = (sent.shape[0] ?? 0) * tensorLength(input);
  if (!binary) {
    const isFlat = !Array.isArray(sent.data) || !Array.isArray(sent.data[0]);
    return listToTensor(sent.data, isFlat ? [length] : sent.shape, input, `${place} data`);
  }
  const bytes = length * (input.dataType === 'uint8' ? 1 : Float32Array.BYTES_PER_ELEMENT);
  if (binary.length !== bytes)
    throw new ProblemError(
      'bad_request',
      `${place}: shape [${sent.shape}] of ${sent.datatype} needs ${bytes} bytes, got ${binary.length}`,
    );
  return input.dataType === 'uint8' ? binary : checkValues(bytesToFloats(binary), place);
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
      throw new ProblemError('bad_request', `There is no output ${name}: expected ${names.join(' or ')}`);
    if (asked.findIndex((other) => other.name === name) !== i)
      throw new ProblemError('bad_request', `Output ${name} is asked for twice`);
    const classification = readClassification(parameters?.classification, name);
    const binary = readFlag(parameters?.binary_data, `Output ${name}: binary_data`) ?? all;
    return { name, binary, ...(classification > 0 && { classification }) };
  });
}

function readFlag(value: unknown, place: string): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw new ProblemError('bad_request', `${place}: expected true or false, got ${JSON.stringify(value)}`);
}

/** Returns 0 if no classification is requested. */
function readClassification(value: unknown, name: string): number {
  if (value === undefined) return 0;
  if (Number.isInteger(value) && Number(value) >= 0) return Number(value);
  const got = JSON.stringify(value);
  throw new ProblemError(
    'bad_request',
    `Output ${name}: classification: expected a number of classes, got ${got}`,
  );
}

function readTimeout(value: unknown): number {
  if (value === undefined || value === 0) return Infinity;
  if (typeof value === 'number' && value > 0) return value / 1000;
  throw new ProblemError('bad_request', `timeout: expected microseconds, got ${JSON.stringify(value)}`);
}
