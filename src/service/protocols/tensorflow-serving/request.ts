// the body of a predict request, in row or column form → images, and the form of the response.
import { Compile } from '#typebox/compile';
import type { InputContract } from '../../../inference/image/contract.js';
import type { InferenceInput } from '../../../inference/pipeline.js';
import { ProblemError } from '../../errors.js';
import { parseJson } from '../body.js';
import { base64ToImage, checkBatch, describeJson, imageShape, listToTensor, splitBatch } from '../tensors.js';
import { TensorflowRequest } from './schemas.js';

/** Row form gets `predictions` in the response, column form gets `outputs`. */
export interface AskedPrediction {
  key: 'predictions' | 'outputs';
  images: InferenceInput[];
}

export const signature = 'serving_default';

const validator = Compile(TensorflowRequest);

/** @throws ProblemError bad_request */
export function parsePredictRequest(body: Buffer, input: InputContract, maxBatch: number): AskedPrediction {
  const { signature_name, instances, inputs } = parseJson(body.toString(), validator);
  if (signature_name && signature_name !== signature)
    throw new ProblemError(
      'bad_request',
      `Serving signature name: "${signature_name}" not found in signature def: expected ${signature}`,
    );
  if ((instances === undefined) === (inputs === undefined))
    throw new ProblemError('bad_request', 'The request needs either instances or inputs');
  const isRow = instances !== undefined;
  const place = isRow ? 'instances' : 'inputs';
  const [name, items] = isRow ? namedRows(instances) : namedColumn(inputs);
  checkBatch(items.length, maxBatch);
  const images = toImages(name, items, input, place);
  return { key: isRow ? 'predictions' : 'outputs', images };
}

type Named = [name: 'input' | 'image' | undefined, items: unknown[]];

/** Either every instance names the same input, or no instance names one. */
function namedRows(instances: readonly unknown[]): Named {
  const rows = instances.map((instance, i) => unwrap(instance, `instances[${i}]`));
  const name = rows[0]?.[0];
  const odd = rows.findIndex(([other]) => other !== name);
  if (odd > 0)
    throw new ProblemError('bad_request', `instances[${odd}]: expected the same input as in instances[0]`);
  return [name, rows.map(([, value]) => value)];
}

function namedColumn(inputs: unknown): Named {
  const [name, items] = unwrap(inputs, 'inputs');
  if (Array.isArray(items)) return [name, items];
  throw new ProblemError('bad_request', `inputs: expected a list of images, got ${describeJson(items)}`);
}

/** `{"image": …}` or `{"input": …}` → its name and value; anything else is a value without a name. */
function unwrap(value: unknown, place: string): ['input' | 'image' | undefined, unknown] {
  if (!isObject(value) || 'b64' in value) return [undefined, value];
  const [name, ...others] = Object.keys(value);
  if ((name === 'input' || name === 'image') && others.length === 0) return [name, value[name]];
  throw new ProblemError(
    'bad_request',
    `${place}: expected one input, input or image, got ${describeJson(value)}`,
  );
}

function toImages(
  name: Named[0],
  items: readonly unknown[],
  input: InputContract,
  place: string,
): InferenceInput[] {
  if (name === 'image' || (name === undefined && isObject(items[0])))
    return items.map((item, i) => {
      if (isObject(item) && Object.keys(item).join() === 'b64')
        return base64ToImage(item.b64, `${place}[${i}].b64`);
      throw new ProblemError('bad_request', `${place}[${i}]: expected {"b64": …}, got ${describeJson(item)}`);
    });
  return splitBatch(listToTensor(items, [items.length, ...imageShape(input)], input, place), input);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
