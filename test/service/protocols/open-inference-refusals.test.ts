// Open Inference Protocol v2: every kind of wrong request, and its error.
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { hollowPng, solidPng, svg, truncatedPng } from '../../helpers/images.js';
import { elements, infer, writeFloats } from '../../helpers/protocols.js';
import { createTestApp } from '../../helpers/service.js';

const path = '/v2/models/brightness/infer';
const bright = solidPng(28, 28, 255);
const zeros = new Array<number>(784).fill(0);
const input = { name: 'input', shape: [1, 1, 28, 28], datatype: 'FP32', data: zeros };
const image = { name: 'image', shape: [1], datatype: 'BYTES', data: [bright.toString('base64')] };
const { data: _numbers, ...bare } = input;
const { data: _file, ...bareImage } = image;
const sized = (tensor: object, size: unknown) => ({ ...tensor, parameters: { binary_data_size: size } });

/** The JSON, the bytes after it, and the text of the error. */
const malformed: Record<string, [json: unknown, error: RegExp, binary?: Buffer]> = {
  'no JSON': ['{"inputs":', /no JSON/],
  'no inputs': [{}, /inputs/],
  'an empty list of inputs': [
    { inputs: [] },
    /expected one, input FP32 \[-1,1,28,28\] or image BYTES \[-1\], got 0/,
  ],
  'inputs that are no list': [{ inputs: input }, /\/inputs must be array/],
  'an id that is no text': [{ id: 7, inputs: [input] }, /\/id must be string/],
  'an input without a shape': [{ inputs: [{ name: 'input', datatype: 'FP32', data: zeros }] }, /shape/],
  'both inputs': [{ inputs: [input, image] }, /expected one.*got 2/],
  'an unknown input': [{ inputs: [{ ...input, name: 'pixels' }] }, /no input pixels: expected input FP32/],
  'another datatype': [{ inputs: [{ ...input, datatype: 'FP64' }] }, /expected datatype FP32, got FP64/],
  'numbers as an image': [{ inputs: [{ ...image, datatype: 'FP32' }] }, /expected datatype BYTES, got FP32/],
  'another rank': [
    { inputs: [{ ...input, shape: [1, 28, 28] }] },
    /expected shape \[-1,1,28,28\], got \[1,28,28\]/,
  ],
  'another size': [{ inputs: [{ ...input, shape: [1, 28, 28, 1] }] }, /got \[1,28,28,1\]/],
  'a negative size': [{ inputs: [{ ...input, shape: [-1, 1, 28, 28] }] }, /shape\/0/],
  'no image': [{ inputs: [{ ...input, shape: [0, 1, 28, 28], data: [] }] }, /expected 1 to 16 images, got 0/],
  'more images than the cap': [
    { inputs: [{ ...input, shape: [17, 1, 28, 28] }] },
    /expected 1 to 16 images, got 17/,
  ],
  'too few numbers': [
    { inputs: [{ ...input, data: zeros.slice(1) }] },
    /expected a list of 784, got a list of 783/,
  ],
  'numbers nested in another way': [
    { inputs: [{ ...input, data: [[zeros]] }] },
    /data\[0\]\[0\]: expected a list of 28/,
  ],
  'text among the numbers': [
    { inputs: [{ ...input, data: ['7', ...zeros.slice(1)] }] },
    /expected numbers, got "7"/,
  ],
  'a number beyond float32': [
    { inputs: [{ ...input, data: [1e39, ...zeros.slice(1)] }] },
    /value 0 is Infinity/,
  ],
  'numbers beyond the model': [
    { inputs: [{ ...input, data: zeros.map(() => 3e38) }] },
    /scores are not finite/,
  ],
  'no data': [{ inputs: [bare] }, /either data or parameters.binary_data_size/],
  'data twice': [{ inputs: [sized(input, 3136)] }, /either data or/, writeFloats(zeros)],
  'a binary size that is none': [
    { inputs: [sized(bare, 'all')] },
    /number of bytes, got "all"/,
    writeFloats(zeros),
  ],
  'truncated numbers': [
    { inputs: [sized(bare, 3136)] },
    /expected 3136 bytes .* got 3132/,
    writeFloats(zeros.slice(1)),
  ],
  'bytes that belong to nothing': [{ inputs: [input] }, /expected 0 bytes .* got 4/, Buffer.alloc(4)],
  'fewer bytes than the shape has': [
    { inputs: [sized(bare, 3132)] },
    /needs 3136 bytes, got 3132/,
    writeFloats(zeros.slice(1)),
  ],
  'not a number in bytes': [
    { inputs: [sized(bare, 3136)] },
    /value 2 is NaN/,
    writeFloats(zeros.with(2, Number.NaN)),
  ],
  'a truncated element': [
    { inputs: [sized(bareImage, bright.length)] },
    new RegExp(`element 0 needs 4 \\+ ${bright.length} bytes, there are ${bright.length}`),
    elements(bright).subarray(0, -4),
  ],
  'a truncated length': [{ inputs: [sized(bareImage, 3)] }, /element 0 needs/, Buffer.alloc(3)],
  'more elements than the shape has': [
    { inputs: [sized(bareImage, 2 * (bright.length + 4))] },
    /expected 1 elements, got 2/,
    elements(bright, bright),
  ],
  'an image that is no base64': [
    { inputs: [{ ...image, data: ['%PNG'] }] },
    /data\[0\]: expected an image file in base64/,
  ],
  'an empty image': [{ inputs: [sized(bareImage, 4)] }, /\w/, Buffer.alloc(4)],
  'an unknown output': [
    { inputs: [input], outputs: [{ name: 'logits' }] },
    /no output logits: expected scores or/,
  ],
  'an output twice': [
    { inputs: [input], outputs: [{ name: 'scores' }, { name: 'scores' }] },
    /asked for twice/,
  ],
  'a flag that is none': [
    { inputs: [input], parameters: { binary_data_output: 1 } },
    /binary_data_output: expected true/,
  ],
  'classes that are no number': [
    { inputs: [input], outputs: [{ name: 'scores', parameters: { classification: 1.5 } }] },
    /classification: expected a number of classes, got 1.5/,
  ],
  'a timeout that is none': [
    { inputs: [input], parameters: { timeout: 'long' } },
    /timeout: expected microseconds/,
  ],
};

t.test("the error of a wrong request is a 400 that says what is wrong, in the protocol's form", async (t) => {
  const app = await createTestApp(t);
  for (const [name, [json, error, binary]] of Object.entries(malformed)) {
    const response = await infer(app, path, json, binary);
    t.equal(response.statusCode, 400, name);
    t.same(Object.keys(response.json()), ['error'], name);
    t.match(response.json().error, error, name);
    t.match(response.headers['content-type'], /^application\/json/);
    t.ok(response.headers['x-request-id']);
  }
});

t.test('wrong headers are bad requests, and an unknown encoding is 415', async (t) => {
  const app = await createTestApp(t);
  const json = JSON.stringify({ inputs: [image] });
  for (const length of ['-1', 'x', String(json.length + 1)]) {
    const response = await infer(app, path, json, undefined, { 'inference-header-content-length': length });
    t.equal(response.statusCode, 400);
    t.match(
      response.json().error,
      `Inference-Header-Content-Length: expected 0 to ${json.length}, got ${length}`,
    );
  }
  t.match((await app.inject({ method: 'POST', url: path })).json(), { error: 'The request has no body' });
  const broken = await infer(app, path, json, undefined, { 'content-encoding': 'gzip' });
  t.equal(broken.statusCode, 400);
  t.match(broken.json().error, /can't be decompressed as gzip/);
  const unknown = await infer(app, path, json, undefined, { 'content-encoding': 'br' });
  t.equal(unknown.statusCode, 415);
  t.match(unknown.json().error, 'expected gzip, deflate or identity, got br');
});

t.test('a body that is too large, as sent or once decompressed, is refused', async (t) => {
  const app = await createTestApp(t, { maxBodyBytes: 1000 });
  const json = JSON.stringify({ inputs: [input] });
  t.equal((await infer(app, path, json)).statusCode, 413);
  const bomb = gzipSync(Buffer.alloc(100_000, ' '));
  t.ok(bomb.length < 1000);
  const headers = { 'content-encoding': 'gzip' };
  const response = await app.inject({ method: 'POST', url: path, headers, payload: bomb });
  t.equal(response.statusCode, 413);
  t.match(response.json().error, 'more than 1000 bytes once it is decompressed');
});

t.test('images that cannot be classified get the same status as on other paths', async (t) => {
  const app = await createTestApp(t);
  for (const [file, status] of [
    [svg(), 415],
    [truncatedPng(), 422],
    [hollowPng(30_000, 30_000), 413],
  ] as const) {
    const response = await infer(app, path, { inputs: [{ ...image, data: [file.toString('base64')] }] });
    t.equal(response.statusCode, status);
    t.match(response.json(), { error: /\w/ });
  }
});

t.test('unknown models, versions and paths are 404, and wrong methods are 405', async (t) => {
  const app = await createTestApp(t);
  for (const url of [
    '/v2/models/none',
    '/v2/models/none/ready',
    '/v2/models/brightness/versions/9',
    '/v2/models/brightness/versions/9/ready',
    '/v2/nothing',
  ]) {
    const response = await app.inject(url);
    t.equal(response.statusCode, 404, url);
    t.same(Object.keys(response.json()), ['error']);
  }
  t.equal((await infer(app, '/v2/models/none/infer', { inputs: [image] })).statusCode, 404);
  t.equal((await infer(app, '/v2/models/brightness/versions/9/infer', { inputs: [image] })).statusCode, 404);
  t.equal((await app.inject('/v2/models/brightness/versions/last')).statusCode, 400);
  const method = await app.inject({ method: 'PUT', url: path });
  t.equal(method.statusCode, 405);
  t.equal(method.headers.allow, 'POST');
  t.match(method.json(), { error: /takes POST, not PUT/ });
});

t.test('a full queue is 429 with Retry-After, and a passed deadline is 504', async (t) => {
  const full = await createTestApp(t, { maxQueueImages: 1 });
  const two = { ...input, shape: [2, 1, 28, 28], data: [...zeros, ...zeros] };
  const response = await infer(full, path, { inputs: [two] });
  t.equal(response.statusCode, 429);
  t.match(response.headers['retry-after'], /^\d+$/);
  t.match(response.json(), { error: /allowed are 1/ });
  const app = await createTestApp(t);
  const late = await infer(app, path, { inputs: [input], parameters: { timeout: 0.001 } });
  t.equal(late.statusCode, 504, 'a nanosecond');
});

t.test('a missing API key is refused in the form of the protocol, and health needs none', async (t) => {
  const app = await createTestApp(t, { apiKeys: ['a-key-of-this-test'] });
  for (const url of ['/v2', '/v2/models/brightness', '/v1/models/brightness']) {
    const response = await app.inject(url);
    t.equal(response.statusCode, 401, url);
    t.match(response.json(), { error: /API key is needed/ });
  }
  t.equal((await app.inject('/v2/health/ready')).statusCode, 200);
});
