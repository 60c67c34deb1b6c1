// the body of a predict request, in row or column form → images, and the form of the response.
import { Compile } from '#typebox/compile';
import type { InputContract } from '../../../inference/image/contract.js';
import type { InferenceInput } from '../../../inference/pipeline.js';
import type { Config } from '../../config.js';
import { cut } from '../../cut.js';
import { ProblemError } from '../../errors.js';
import type { Pause } from '../body.js';
import type { JsonView } from '../json/document.js';
import { jsonLimits } from '../limits.js';
import { parseJson } from '../parse-json.js';
import {
  appendNumbers,
  base64ToImage,
  checkBatch,
  checkValues,
  createBatch,
  imageShape,
  splitBatch,
} from '../tensors.js';
import { ViewedRequest } from './schemas.js';

/** Row form gets `predictions` in the response, column form gets `outputs`. */
export interface AskedPrediction {
  key: 'predictions' | 'outputs';
  images: InferenceInput[];
}

export const signature = 'serving_default';

const schema = { checker: Compile(ViewedRequest), views: new Set(['instances', 'inputs']) };

/** The model that the request is for, and the settings. */
export interface Target extends Pick<Config, 'maxBatch' | 'maxUploadBytes'> {
  input: InputContract;
}

/** @throws ProblemError bad_request, too_many_bytes; what `pause` throws */
export async function parsePredictRequest(
  body: Buffer,
  target: Target,
  pause: Pause,
): Promise<AskedPrediction> {
  const limits = jsonLimits(target.input, target.maxBatch);
  const { signature_name, instances, inputs } = await parseJson(body, schema, limits, pause);
  if (signature_name && signature_name !== signature)
    throw new ProblemError(
      'bad_request',
      `Serving signature name: "${cut(signature_name)}" not found in signature def: expected ${signature}`,
    );
  if (instances && inputs)
    throw new ProblemError('bad_request', 'The request needs either instances or inputs, not both');
  if (instances) return { key: 'predictions', images: await readRows(instances, target, pause) };
  if (inputs) return { key: 'outputs', images: await readColumn(inputs, target, pause) };
  throw new ProblemError('bad_request', 'The request needs either instances or inputs');
}

type InputName = 'input' | 'image' | undefined;

/** Either every instance names the same input, or no instance names one. */
async function readRows(instances: JsonView, target: Target, pause: Pause): Promise<InferenceInput[]> {
  if (instances.kind !== 'list') throw new ProblemError('bad_request', 'body /instances must be array');
  checkBatch(instances.count, target.maxBatch);
  const rows = Array.from(instances.items(), (instance, i) => unwrap(instance, `instances[${i}]`));
  const name = rows[0]?.[0];
  const odd = rows.findIndex(([other]) => other !== name);
  if (odd > 0)
    throw new ProblemError('bad_request', `instances[${odd}]: expected the same input as in instances[0]`);
  const items = rows.map(([, value]) => value);
  return await toImages(name, items, target, { place: 'instances', pause });
}

async function readColumn(inputs: JsonView, target: Target, pause: Pause): Promise<InferenceInput[]> {
  const [name, items] = unwrap(inputs, 'inputs');
  if (items.kind !== 'list')
    throw new ProblemError('bad_request', `inputs: expected a list of images, got ${items.describe()}`);
  checkBatch(items.count, target.maxBatch);
  return await toImages(name, [...items.items()], target, { place: 'inputs', pause });
}

/** `{"image": …}` or `{"input": …}` → its name and value; anything else is a value without a name. */
function unwrap(value: JsonView, place: string): [InputName, JsonView] {
  if (value.kind !== 'object') return [undefined, value];
  const members = membersOf(value);
  if (members?.has('b64')) return [undefined, value];
  const [member, ...others] = members ?? [];
  if (member && others.length === 0 && (member[0] === 'input' || member[0] === 'image'))
    return [member[0], member[1]];
  throw new ProblemError(
    'bad_request',
    `${place}: expected one input, input or image, got ${value.describe()}`,
  );
}

/** No object of a request has that many members. */
const maxMembers = 8;

/** Returns the last member of each name, as JSON.parse does, except null; undefined if there are too many. */
function membersOf(object: JsonView): Map<string, JsonView> | undefined {
  if (object.count > maxMembers) return undefined;
  const members = new Map(Array.from(object.members(), ([name, value]) => [name.startOfText(), value]));
  return new Map([...members].filter(([, value]) => value.kind !== 'null'));
}

interface Reading {
  place: string;
  pause: Pause;
}

async function toImages(
  name: InputName,
  items: readonly JsonView[],
  target: Target,
  { place, pause }: Reading,
): Promise<InferenceInput[]> {
  if (name === 'image' || (name === undefined && items[0]?.kind === 'object')) {
    const images: InferenceInput[] = [];
    for (const [i, item] of items.entries())
      images.push(await base64ToImage(textOf(item, `${place}[${i}]`), `${place}[${i}].b64`, target, pause));
    return images;
  }
  const { input } = target;
  const batch = createBatch(input, items.length);
  for (const [i, item] of items.entries()) appendNumbers(item, imageShape(input), batch, `${place}[${i}]`);
  return splitBatch(checkValues(batch.values, place), input);
}

/** Returns the text of `{"b64": …}`. */
function textOf(item: JsonView, place: string): JsonView {
  const members = item.kind === 'object' ? membersOf(item) : undefined;
  const text = members?.get('b64');
  if (text && members?.size === 1) return text;
  throw new ProblemError('bad_request', `${place}: expected {"b64": …}, got ${item.describe()}`);
}
