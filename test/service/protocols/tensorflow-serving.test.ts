// TensorFlow Serving's REST interface: every endpoint, success and failure.
import { gzipSync } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import t from 'tap';
import { Value } from 'typebox/value';
import {
  ModelVersionStatuses,
  SignatureMetadata,
  TensorflowResponse,
} from '../../../src/service/protocols/tensorflow-serving/schemas.js';
import { brightnessConfidences } from '../../helpers/fixture-model.js';
import { solidPng, svg, truncatedPng } from '../../helpers/images.js';
import { createTestApp } from '../../helpers/service.js';

const path = '/v1/models/brightness';
const b64 = (value: number) => ({ b64: solidPng(28, 28, value).toString('base64') });
const plane = (value: number) => [Array.from({ length: 28 }, () => new Array<number>(28).fill(value))];

function predict(app: FastifyInstance, body: unknown, url = `${path}:predict`) {
  const payload = typeof body === 'string' ? body : JSON.stringify(body);
  return app.inject({ method: 'POST', url, payload });
}

t.test('the status lists every version, the highest first, and why one is not served', async (t) => {
  const broken = { version: 2, change: (card: object) => ({ ...card, name: 'other' }) };
  const app = await createTestApp(t, { models: [{}, broken] });
  const status = (await app.inject(path)).json();
  t.ok(Value.Check(ModelVersionStatuses, status));
  t.match(status.model_version_status, [
    { version: '2', state: 'END', status: { error_code: 'FAILED_PRECONDITION', error_message: /other/ } },
    { version: '1', state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } },
  ]);
  const one = (await app.inject(`${path}/versions/1`)).json();
  t.equal(one.model_version_status.length, 1);
  t.equal(
    (await predict(app, { instances: [b64(0)] })).statusCode,
    200,
    'the highest that is ready is asked',
  );
  t.equal((await predict(app, { instances: [b64(0)] }, `${path}/versions/2:predict`)).statusCode, 503);
});

t.test('the metadata is the signature with both inputs and the output', async (t) => {
  const app = await createTestApp(t);
  for (const url of [`${path}/metadata`, `${path}/versions/1/metadata`]) {
    const metadata = (await app.inject(url)).json();
    t.ok(Value.Check(SignatureMetadata, metadata));
    t.match(metadata.model_spec, { name: 'brightness', version: '1' });
    const { inputs, outputs, method_name } = metadata.metadata.signature_def.signature_def.serving_default;
    t.equal(method_name, 'tensorflow/serving/predict');
    t.match(inputs, { input: { dtype: 'DT_FLOAT' }, image: { dtype: 'DT_STRING' } });
    t.same(
      inputs.input.tensor_shape.dim.map((dim: { size: string }) => dim.size),
      ['-1', '1', '28', '28'],
    );
    t.same(Object.keys(outputs), ['probabilities']);
  }
});

t.test('rows and columns, images and numbers, with names or without, get the same predictions', async (t) => {
  const app = await createTestApp(t);
  const [images, numbers] = [
    [b64(0), b64(255)],
    [plane(0), plane(1)],
  ];
  const bodies: [key: 'predictions' | 'outputs', body: object][] = [
    ['predictions', { instances: images }],
    ['predictions', { instances: images.map((image) => ({ image })) }],
    ['predictions', { instances: numbers, signature_name: 'serving_default' }],
    ['predictions', { instances: numbers.map((input) => ({ input })), signature_name: '' }],
    ['outputs', { inputs: images }],
    ['outputs', { inputs: { image: images } }],
    ['outputs', { inputs: numbers }],
    ['outputs', { inputs: { input: numbers } }],
  ];
  const expected = [brightnessConfidences(0, 2), brightnessConfidences(255, 2)];
  for (const [key, body] of bodies) {
    const response = await predict(app, body);
    t.equal(response.statusCode, 200, response.body);
    const answer = response.json();
    t.ok(Value.Check(TensorflowResponse, answer));
    t.same(Object.keys(answer), [key]);
    for (const [i, row] of expected.entries())
      t.ok(row.every((p, label) => Math.abs(p - answer[key][i][label]) < 1e-6));
  }
  const payload = gzipSync(JSON.stringify({ instances: images }));
  const headers = { 'content-encoding': 'gzip' };
  const compressed = await app.inject({ method: 'POST', url: `${path}:predict`, headers, payload });
  t.equal(compressed.json().predictions.length, 2);
});

const image = b64(255);
const malformed: Record<string, [body: unknown, error: RegExp]> = {
  'no JSON': ['{', /The body is no JSON/],
  'no object': [[], /body/],
  'neither form': [{ signature_name: '' }, /either instances or inputs/],
  'both forms': [{ instances: [image], inputs: [image] }, /either instances or inputs/],
  'another signature': [
    { signature_name: 'classify', instances: [image] },
    /Serving signature name: "classify" not found in signature def/,
  ],
  'a signature that is no text': [{ signature_name: 1, instances: [image] }, /signature_name must be string/],
  'no instances': [{ instances: [] }, /expected 1 to 16 images, got 0/],
  'more instances than the cap': [
    { instances: new Array(17).fill(image) },
    /expected 1 to 16 images, got 17/,
  ],
  'an unknown input': [{ instances: [{ pixels: plane(0) }] }, /instances\[0\]: expected one input.*pixels/],
  'two inputs': [{ instances: [{ image, input: plane(0) }] }, /expected one input/],
  'rows of different inputs': [
    { instances: [{ image }, { input: plane(0) }] },
    /instances\[1\]: expected the same input/,
  ],
  'numbers among images': [{ instances: [image, plane(0)] }, /instances\[1\]: expected {"b64": …}/],
  'images among numbers': [
    { instances: [plane(0), image] },
    /instances\[1\]: expected a list of 1, got an object/,
  ],
  'a column that is no list': [{ inputs: { image } }, /inputs: expected a list of images/],
  'another shape': [{ instances: [plane(0)[0]] }, /instances\[0\]: expected a list of 1, got a list of 28/],
  'text for a number': [{ instances: [[[['a']]]] }, /expected a list of 28/],
  'no base64': [{ instances: [{ b64: '<' }] }, /instances\[0\].b64: expected an image file in base64/],
};

t.test("the error of a wrong request is a 400 that says what is wrong, in the protocol's form", async (t) => {
  const app = await createTestApp(t);
  for (const [name, [body, error]] of Object.entries(malformed)) {
    const response = await predict(app, body);
    t.equal(response.statusCode, 400, name);
    t.same(Object.keys(response.json()), ['error'], name);
    t.match(response.json().error, error, name);
  }
});

t.test('images that cannot be classified get the same status as on other paths', async (t) => {
  const app = await createTestApp(t);
  const post = (file: Buffer) => predict(app, { instances: [{ b64: file.toString('base64') }] });
  t.equal((await post(svg())).statusCode, 415);
  t.equal((await post(truncatedPng())).statusCode, 422);
});

t.test('unknown models, versions and labels are 404, and wrong methods are 405', async (t) => {
  const app = await createTestApp(t);
  for (const url of [
    '/v1/models/none',
    '/v1/models/none/metadata',
    `${path}/versions/9`,
    `${path}/labels/stable`,
  ]) {
    const response = await app.inject(url);
    t.equal(response.statusCode, 404, url);
    t.same(Object.keys(response.json()), ['error']);
  }
  t.equal((await predict(app, { instances: [image] }, '/v1/models/none:predict')).statusCode, 404);
  t.equal((await predict(app, { instances: [image] }, `${path}:classify`)).statusCode, 404);
  t.equal((await predict(app, { instances: [image] }, `${path}/versions/last:predict`)).statusCode, 400);
  const method = await app.inject(`${path}:predict`);
  t.equal(method.statusCode, 405);
  t.equal(method.headers.allow, 'POST');
});
