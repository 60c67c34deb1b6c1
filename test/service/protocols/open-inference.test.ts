// Open Inference Protocol v2: the response of every endpoint, with tensors as JSON and as bytes in both directions.
import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import t from 'tap';
import { Value } from 'typebox/value';
import { InferResponse, ModelMetadata } from '../../../src/service/protocols/open-inference/schemas.js';
import { brightnessConfidences } from '../../helpers/fixture-model.js';
import { jpeg, solidPng } from '../../helpers/images.js';
import { elements, infer, readFloats, splitResponse, writeFloats } from '../../helpers/protocols.js';
import { createTestApp } from '../../helpers/service.js';

const path = '/v2/models/brightness/infer';
const [dark, bright] = [solidPng(28, 28, 0), solidPng(28, 28, 255)];
const numbers = [new Array<number>(784).fill(0), new Array<number>(784).fill(1)];
const images = (count: number, parameters = {}) => ({
  name: 'image',
  shape: [count],
  datatype: 'BYTES',
  parameters,
});

t.test('the server reports its name, version and extensions, and that it is live and ready', async (t) => {
  const app = await createTestApp(t);
  const server = (await app.inject('/v2')).json();
  t.match(server, { name: 'quati', version: /^\d+\./, extensions: ['binary_tensor_data', 'classification'] });
  t.same((await app.inject('/v2/health/live')).json(), { live: true });
  t.same((await app.inject('/v2/health/ready')).json(), { ready: true });
});

t.test('a server without a ready model is live but not ready', async (t) => {
  const app = await createTestApp(t, { models: [{ change: (card) => ({ ...card, name: 'other' }) }] });
  t.equal((await app.inject('/v2/health/live')).statusCode, 200);
  const ready = await app.inject('/v2/health/ready');
  t.equal(ready.statusCode, 503);
  t.match(ready.json(), { error: /\w/ });
  t.equal((await app.inject('/v2/models/brightness/ready')).statusCode, 503);
  t.equal((await app.inject('/v2/models/brightness')).statusCode, 503);
});

t.test('metadata lists the inputs, outputs, versions, labels and the largest batch', async (t) => {
  const app = await createTestApp(t, { models: [{}, { version: 3 }], maxBatch: 4 });
  for (const url of ['/v2/models/brightness', '/v2/models/brightness/versions/1']) {
    const metadata = (await app.inject(url)).json();
    t.ok(Value.Check(ModelMetadata, metadata));
    t.match(metadata, {
      name: 'brightness',
      versions: ['1', '3'],
      inputs: [
        { name: 'input', datatype: 'FP32', shape: [-1, 1, 28, 28], parameters: { instead_of: 'image' } },
        { name: 'image', datatype: 'BYTES', shape: [-1], parameters: { instead_of: 'input' } },
      ],
      outputs: [
        { name: 'scores', datatype: 'FP32', shape: [-1, 2] },
        { name: 'probabilities', datatype: 'FP32', shape: [-1, 2] },
      ],
      parameters: { max_batch_size: 4, labels: ['dark', 'bright'] },
    });
  }
  t.same((await app.inject('/v2/models/brightness/ready')).json(), { name: 'brightness', ready: true });
  t.equal((await app.inject('/v2/models/brightness/versions/3/ready')).statusCode, 200);
});

t.test('the response to JSON numbers, flat or nested, is JSON with the id and the version', async (t) => {
  const app = await createTestApp(t);
  const nested = numbers.map((values) => [
    Array.from({ length: 28 }, (_, y) => values.slice(28 * y, 28 * y + 28)),
  ]);
  for (const data of [numbers.flat(), nested]) {
    const input = { name: 'input', shape: [2, 1, 28, 28], datatype: 'FP32', data };
    const response = await infer(app, path, { id: 'a1', inputs: [input] });
    t.equal(response.headers['content-type'], 'application/json');
    const answer = response.json();
    t.ok(Value.Check(InferResponse, answer));
    t.match(answer, { id: 'a1', model_name: 'brightness', model_version: '1' });
    const [scores, probabilities] = answer.outputs;
    t.match(scores, { name: 'scores', datatype: 'FP32', shape: [2, 2] });
    t.same(scores.data.map(Math.round), [0, -40, 0, 40]);
    const expected = [...brightnessConfidences(0, 2), ...brightnessConfidences(255, 2)];
    t.ok(probabilities.data.every((p: number, i: number) => Math.abs(p - (expected[i] ?? 0)) < 1e-6));
  }
});

t.test('image files get the same response in binary form and in base64', async (t) => {
  const app = await createTestApp(t);
  const files = [dark, await jpeg(60, 40, 255), bright];
  const bytes = elements(...files);
  const binary = await infer(app, path, { inputs: [images(3, { binary_data_size: bytes.length })] }, bytes);
  const base64 = await infer(app, path, {
    inputs: [{ ...images(3), data: files.map((file) => file.toString('base64')) }],
  });
  t.equal(binary.statusCode, 200);
  t.same(binary.json().outputs, base64.json().outputs);
  const rows = binary.json().outputs[1].data;
  t.same([rows[0] > 0.99, rows[5] > 0.99], [true, true]);
});

t.test('binary numbers get binary outputs, equal to those in JSON bit by bit', async (t) => {
  const app = await createTestApp(t);
  const bytes = writeFloats(numbers.flat().map((value, i) => value * Math.sin(i)));
  const input = { name: 'input', shape: [2, 1, 28, 28], datatype: 'FP32' };
  const inputs = [{ ...input, parameters: { binary_data_size: bytes.length } }];
  const response = await infer(app, path, { inputs, parameters: { binary_data_output: true } }, bytes);
  t.equal(response.headers['content-type'], 'application/octet-stream');
  const { json, binary } = splitResponse(response);
  t.same(
    json.outputs.map((output: { parameters: unknown }) => output.parameters),
    [{ binary_data_size: 16 }, { binary_data_size: 16 }],
  );
  const asJson = await infer(app, path, { inputs: [{ ...input, data: readFloats(bytes) }] });
  const [scores, probabilities] = asJson.json().outputs;
  t.same(readFloats(binary), [...scores.data, ...probabilities.data].map(Math.fround));
});

t.test('outputs have the requested order, and each has the requested form, binary or not', async (t) => {
  const app = await createTestApp(t);
  const inputs = [{ ...images(1), data: [bright.toString('base64')] }];
  const outputs = [{ name: 'probabilities', parameters: { binary_data: false } }, { name: 'scores' }];
  const mixed = await infer(app, path, { inputs, outputs, parameters: { binary_data_output: true } });
  const { json, binary } = splitResponse(mixed);
  t.match(json.outputs, [
    { name: 'probabilities', data: [] },
    { name: 'scores', parameters: { binary_data_size: 8 } },
  ]);
  t.equal(binary.length, 8);
  const one = await infer(app, path, { inputs, outputs: [{ name: 'scores' }] });
  t.same(
    one.json().outputs.map((output: { name: string }) => output.name),
    ['scores'],
  );
});

t.test('classification returns value:index:label, highest value first, in JSON and bytes', async (t) => {
  const app = await createTestApp(t, { models: [{ labels: ['night', 'dusk', 'day'] }] });
  const ask = (count: number, binary_data = false) =>
    infer(app, path, {
      inputs: [{ ...images(2), data: [dark, bright].map((file) => file.toString('base64')) }],
      outputs: [{ name: 'probabilities', parameters: { classification: count, binary_data } }],
    });
  const [output] = (await ask(2)).json().outputs;
  t.match(output, { datatype: 'BYTES', shape: [2, 2] });
  t.match(output.data, [
    /^0\.9\d{5}:0:night$/,
    /^0\.0\d{5}:1:dusk$/,
    /^0\.9\d{5}:2:day$/,
    /^0\.0\d{5}:1:dusk$/,
  ]);
  const { json, binary } = splitResponse(await ask(2, true));
  t.same(json.outputs[0].shape, [2, 2]);
  t.same(binary, elements(...output.data.map((text: string) => Buffer.from(text))));
  t.same((await ask(9)).json().outputs[0].shape, [2, 3], 'no more than there are');
});

t.test('if the header is 0, the whole body is one image and the response is binary', async (t) => {
  const app = await createTestApp(t);
  const headers = { 'inference-header-content-length': '0' };
  const { json, binary } = splitResponse(
    await app.inject({ method: 'POST', url: path, headers, payload: bright }),
  );
  t.same(
    json.outputs.map((output: { shape: number[] }) => output.shape),
    [
      [1, 2],
      [1, 2],
    ],
  );
  t.ok((readFloats(binary)[3] ?? 0) > 0.99);
});

t.test('bodies may use gzip or deflate, and large responses do if the client accepts it', async (t) => {
  const labels = Array.from({ length: 20 }, (_, i) => `step ${i}`);
  const app = await createTestApp(t, { models: [{ labels }] });
  const inputs = [
    { name: 'input', shape: [16, 1, 28, 28], datatype: 'FP32', data: new Array(16 * 784).fill(0.3) },
  ];
  const json = JSON.stringify({ inputs });
  const plain = (await infer(app, path, json)).json();
  for (const [name, compress, decompress] of [
    ['gzip', gzipSync, gunzipSync],
    ['deflate', deflateSync, inflateSync],
  ] as const) {
    const headers = { 'content-encoding': name, 'accept-encoding': `br, ${name};q=0.5` };
    const response = await app.inject({ method: 'POST', url: path, headers, payload: compress(json) });
    t.equal(response.headers['content-encoding'], name);
    t.same(JSON.parse(decompress(response.rawPayload).toString()), plain);
  }
  const refused = await infer(app, path, json, undefined, { 'accept-encoding': 'gzip;q=0' });
  t.equal(refused.headers['content-encoding'], undefined);
  const chosen = async (accepted: string) =>
    (await infer(app, path, json, undefined, { 'accept-encoding': accepted })).headers['content-encoding'];
  t.equal(await chosen('gzip;q=0.5, Deflate'), 'deflate', 'what the client prefers');
  t.equal(await chosen('br, *;q=0.1'), 'gzip', 'whatever the server likes');
  t.equal(await chosen('br'), undefined);
  const shared = await createTestApp(t, { corsOrigins: ['https://example.org'] });
  t.equal((await infer(shared, path, json)).headers.vary, 'Origin, accept-encoding');
});

t.test('a request is read with any content type', async (t) => {
  const app = await createTestApp(t);
  const body = { inputs: [{ ...images(1), data: [bright.toString('base64')] }] };
  for (const type of ['application/json', 'application/x-www-form-urlencoded', 'no type at all'])
    t.equal((await infer(app, path, body, undefined, { 'content-type': type })).statusCode, 200, type);
});

t.test('the path selects the version', async (t) => {
  const app = await createTestApp(t, { models: [{}, { version: 2 }] });
  const body = { inputs: [{ ...images(1), data: [bright.toString('base64')] }] };
  t.equal((await infer(app, path, body)).json().model_version, '2');
  t.equal((await infer(app, '/v2/models/brightness/versions/1/infer', body)).json().model_version, '1');
});
