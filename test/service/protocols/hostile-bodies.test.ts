// bodies that are small on the wire and large in memory, deep, or long → short refusals, while the service answers others.
import { gzipSync } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import t from 'tap';
import { hostileBodies } from '../../../scripts/attack/bodies/catalogue.js';
import { gzipped, nested } from '../../../scripts/attack/bodies/json.js';
import { bodyLimit, jsonLimits } from '../../../src/service/protocols/limits.js';
import { grayInput } from '../../helpers/fixture-model.js';
import { noise, png, solidPng } from '../../helpers/images.js';
import { elements, infer, writeFloats } from '../../helpers/protocols.js';
import { createTestApp } from '../../helpers/service.js';

const v1 = '/v1/models/brightness:predict';
const v2 = '/v2/models/brightness/infer';
const bright = solidPng(28, 28, 255).toString('base64');
const image = { name: 'image', shape: [1], datatype: 'BYTES', data: [bright] };
const plane = (value: number) => [Array.from({ length: 28 }, () => new Array<number>(28).fill(value))];
const gzip = { 'content-encoding': 'gzip' };

/** Longer than any error and any line of the log should be. */
const longText = 'x'.repeat(100_000);
const maxAnswer = 1200;
const maxLine = 10_000;

function predict(app: FastifyInstance, body: unknown) {
  return app.inject({ method: 'POST', url: v1, payload: JSON.stringify(body) });
}

t.test('every hostile body gets a short refusal, and a short line in the log', async (t) => {
  const lines: string[] = [];
  const log = { write: (line: string) => void lines.push(line) };
  const app = await createTestApp(t, { log, logLevel: 'debug', logRequests: 'always' });
  for (const { name, protocol, bytes } of hostileBodies) {
    const url = protocol === 'v1' ? v1 : v2;
    const answer = await app.inject({ method: 'POST', url, headers: gzip, payload: gzipped(bytes()) });
    t.match(String(answer.statusCode), /^4\d\d$/, `${name}: ${answer.statusCode}`);
    t.ok(answer.body.length < maxAnswer, name);
    t.same(Object.keys(answer.json()), ['error'], name);
  }
  t.ok(lines.length >= hostileBodies.length);
  t.ok(lines.every((line) => line.length < maxLine));
});

t.test(
  '16 hostile bodies at once take little memory, and a good request among them gets its response',
  async (t) => {
    const app = await createTestApp(t);
    for (const { name, protocol, bytes } of hostileBodies.filter(({ name }) =>
      /^(open brackets|instances of one number)$/.test(name),
    )) {
      const payload = gzipped(bytes());
      const url = protocol === 'v1' ? v1 : v2;
      const before = process.memoryUsage();
      let heap = 0;
      const watch = setInterval(() => {
        heap = Math.max(heap, process.memoryUsage().heapUsed - before.heapUsed);
      }, 5);
      const attack = Array.from({ length: 16 }, () =>
        app.inject({ method: 'POST', url, headers: gzip, payload }),
      );
      t.equal((await infer(app, v2, { inputs: [image] })).statusCode, 200, name);
      for (const { statusCode } of await Promise.all(attack)) t.equal(statusCode, 400);
      clearInterval(watch);
      t.ok(heap < 100 * 2 ** 20, `${name}: ${Math.round(heap / 2 ** 20)} MiB more heap`);
    }
  },
);

t.test('a long body leaves the thread free for others while it is read', async (t) => {
  const app = await createTestApp(t);
  const order: string[] = [];
  const body = { inputs: [image], parameters: {}, note: 'x'.repeat(8_000_000) };
  const long = infer(app, v2, body).then(({ statusCode }) => order.push(`long ${statusCode}`));
  await new Promise((resolve) => setTimeout(resolve, 5));
  const health = app.inject('/health/live').then(({ statusCode }) => order.push(`health ${statusCode}`));
  await Promise.all([long, health]);
  t.same(order, ['health 200', 'long 400']);
});

t.test('a value that is nested where a parameter is one number is 400', async (t) => {
  const app = await createTestApp(t);
  for (const depth of [1, 10, 5000]) {
    const deep = `"${depth}"`;
    const bodies: Record<string, object> = {
      timeout: { inputs: [image], parameters: { timeout: deep } },
      classification: {
        inputs: [image],
        outputs: [{ name: 'scores', parameters: { classification: deep } }],
      },
      binary_data: { inputs: [image], outputs: [{ name: 'scores', parameters: { binary_data: deep } }] },
      binary_data_size: { inputs: [{ ...image, data: undefined, parameters: { binary_data_size: deep } }] },
      binary_data_output: { inputs: [image], parameters: { binary_data_output: deep } },
    };
    for (const [name, body] of Object.entries(bodies))
      for (const kind of ['lists', 'objects'] as const) {
        const text = JSON.stringify(body).replace(JSON.stringify(deep), nested(depth, kind).toString());
        const answer = await infer(app, v2, text);
        t.equal(answer.statusCode, 400, `${name} ${depth} ${kind}`);
        t.match(answer.json().error, depth > 16 ? /nested deeper than 16/ : new RegExp(name.slice(0, 11)));
      }
  }
});

t.test('errors cut long texts of the client', async (t) => {
  const app = await createTestApp(t, { models: [{}] });
  const input = { name: 'input', shape: [1, 1, 28, 28], datatype: 'FP32', data: plane(0) };
  const words = 'x'.repeat(5000);
  const bodies: Record<string, object> = {
    'a name': { inputs: [{ ...image, name: words }] },
    'a datatype': { inputs: [{ ...image, datatype: words }] },
    'a shape': { inputs: [{ ...image, shape: new Array(800).fill(7) }] },
    'an element': { inputs: [{ ...image, data: [`!${longText}`] }] },
    'a number': { inputs: [{ ...input, data: [longText] }] },
    'an output': { inputs: [image], outputs: [{ name: words }] },
    'a timeout': { inputs: [image], parameters: { timeout: words } },
    'names of members': { inputs: [image], parameters: { timeout: { [words]: 1 } } },
    'a text that is too long': { inputs: [{ ...image, name: longText }] },
    'a member that is too long': { inputs: [image], parameters: { [longText]: 1 } },
    'an id': { id: words, inputs: [image] },
  };
  for (const [name, body] of Object.entries(bodies)) {
    const answer = await infer(app, v2, body);
    t.equal(answer.statusCode, 400, name);
    t.ok(answer.json().error.length < 300, `${name}: ${answer.json().error}`);
  }
  for (const [name, body] of Object.entries({
    'a signature': { signature_name: words, instances: [{ b64: bright }] },
    'names of an instance': { instances: [{ [longText]: 1, [`${longText}2`]: 2 }] },
    'a b64': { instances: [{ b64: `<${longText}` }] },
  })) {
    const answer = await predict(app, body);
    t.equal(answer.statusCode, 400, name);
    t.ok(answer.json().error.length < 300, `${name}: ${answer.json().error}`);
  }
  const headers = { 'inference-header-content-length': '9'.repeat(10_000) };
  t.ok((await infer(app, v2, { inputs: [image] }, undefined, headers)).body.length < 300);
  const encoding = await infer(app, v2, '{}', undefined, { 'content-encoding': words });
  t.equal(encoding.statusCode, 415);
  t.ok(encoding.body.length < 300);
});

t.test('a long URL is cut in the error and in the log', async (t) => {
  const lines: string[] = [];
  const log = { write: (line: string) => void lines.push(line) };
  const app = await createTestApp(t, { log, logLevel: 'debug', logRequests: 'always' });
  for (const url of [
    `/${longText}`,
    `/v2/${longText}`,
    `/models/${longText}`,
    `/predict?model=${longText}`,
    `/predict?${longText}=1`,
  ]) {
    const answer = await app.inject({
      method: url.includes('?') ? 'POST' : 'GET',
      url,
      payload: url.includes('?') ? solidPng(28, 28, 255) : '',
    });
    t.match(String(answer.statusCode), /^4/);
    t.ok(answer.body.length < 2 * maxAnswer, `${url.slice(0, 20)}: ${answer.body.length}`);
  }
  t.ok(lines.length > 0);
  t.ok(
    lines.every((line) => line.length < maxLine),
    `${Math.max(...lines.map((line) => line.length))}`,
  );
});

t.test('an id of 1024 characters is returned, one more is refused', async (t) => {
  const app = await createTestApp(t);
  const id = 'é'.repeat(1024);
  const answer = await infer(app, v2, { id, inputs: [image] });
  t.equal(answer.json().id, id);
  const refused = await infer(app, v2, { id: `${id}x`, inputs: [image] });
  t.equal(refused.statusCode, 400);
  t.match(refused.json().error, /\/id .*1024/);
});

t.test('one image too many is an error with both numbers; many more are too many values', async (t) => {
  const app = await createTestApp(t, { maxBatch: 2 });
  const tensors = (count: number) => predict(app, { instances: new Array(count).fill(plane(0)) });
  t.equal((await tensors(2)).statusCode, 200);
  t.match((await tensors(3)).json(), { error: 'Batch: expected 1 to 2 images, got 3' });
  t.match((await tensors(6)).json(), { error: /more than \d+ values/ });
});

t.test('a body may hold the JSON of the largest batch, even beyond the limit of an upload', async (t) => {
  const limits = { maxUploadBytes: 1000, maxBodyBytes: undefined, maxBatch: 16 };
  const limit = bodyLimit(grayInput, limits);
  t.equal(limit, 64 * 1024 + 26 * 16 * 784);
  t.equal(bodyLimit(grayInput, { ...limits, maxUploadBytes: 10 ** 6 }), 10 ** 6);
  t.equal(bodyLimit(grayInput, { ...limits, maxBodyBytes: 7 }), 7);
  const app = await createTestApp(t, { maxUploadBytes: 1000 });
  // The longest text of a float64.
  const value = '-2.2250738585072014e-308';
  const text = JSON.stringify({ instances: new Array(16).fill(plane(0)) }).replaceAll(/\b0\b/g, value);
  t.ok(text.length > 300_000 && text.length < limit);
  const post = (payload: string | Buffer, headers = {}) =>
    app.inject({ method: 'POST', url: v1, headers, payload });
  t.equal((await post(text)).statusCode, 200);
  t.equal((await post(gzipSync(text), gzip)).statusCode, 200);
  const padding = ' '.repeat(limit);
  for (const answer of [await post(text + padding), await post(gzipSync(text + padding), gzip)]) {
    t.equal(answer.statusCode, 413);
    t.match(answer.json().error, `more than ${limit} bytes`);
  }
});

t.test('an image in a body may have no more bytes than an upload', async (t) => {
  const file = solidPng(28, 28, 255);
  const app = await createTestApp(t, { maxUploadBytes: file.length });
  const longer = Buffer.concat([file, Buffer.alloc(1)]);
  for (const [bytes, status] of [
    [file, 200],
    [longer, 413],
  ] as const) {
    const base64 = bytes.toString('base64');
    const { data: _data, ...bare } = image;
    const sized = { ...bare, parameters: { binary_data_size: bytes.length + 4 } };
    const answers = [
      await infer(app, v2, { inputs: [{ ...image, data: [base64] }] }),
      await infer(app, v2, { inputs: [sized] }, elements(bytes)),
      await app.inject({
        method: 'POST',
        url: v2,
        headers: { 'inference-header-content-length': '0' },
        payload: bytes,
      }),
      await predict(app, { instances: [{ b64: base64 }] }),
    ];
    for (const answer of answers) t.equal(answer.statusCode, status, answer.body);
  }
});

t.test('base64 may have the escapes of JSON, as PHP writes a slash', async (t) => {
  const app = await createTestApp(t);
  const file = png(28, 28, 1, noise(28 * 28)).toString('base64');
  t.match(file, /\//, 'the file has a slash');
  const escaped = file.replaceAll('/', '\\/').replace(/^iVB/, '\\u0069\\u0056\\u0042');
  const post = (text: string) =>
    app.inject({ method: 'POST', url: v1, payload: `{"instances":[{"b64":"${text}"}]}` });
  const answer = await post(escaped);
  t.equal(answer.statusCode, 200);
  t.equal(answer.body, (await post(file)).body);
  for (const wrong of ['\\b', '\\"', '\\u00e9', '\\u0000', 'é'])
    t.equal((await post(`${bright.slice(0, 8)}${wrong}${bright.slice(8)}`)).statusCode, 400, wrong);
});

t.test('millions of empty binary elements are counted, not kept', async (t) => {
  const app = await createTestApp(t);
  const { data: _data, ...bare } = image;
  const binary = Buffer.alloc(8_000_000);
  const sized = { ...bare, parameters: { binary_data_size: binary.length } };
  const answer = await infer(app, v2, { inputs: [sized] }, binary);
  t.equal(answer.statusCode, 400);
  t.match(answer.json(), { error: 'Input image: expected 1 elements, got 2000000' });
});

t.test(
  'bodies beyond the limit of the queue are 429, and their space is free again afterwards',
  async (t) => {
    const app = await createTestApp(t, { maxQueueBytes: 1_000_000 });
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    const body = `{"inputs":[${' '.repeat(900_000)}]}`;
    const post = () => fetch(`${url}${v2}`, { method: 'POST', body });
    const statuses = (await Promise.all(Array.from({ length: 8 }, post))).map(({ status }) => status);
    t.ok(
      statuses.every((status) => status === 400 || status === 429),
      `${statuses}`,
    );
    t.ok(statuses.includes(400));
    t.equal((await post()).status, 400, 'and alone it is read');
    const floats = writeFloats(new Array<number>(784).fill(0));
    const sized = {
      name: 'input',
      shape: [1, 1, 28, 28],
      datatype: 'FP32',
      parameters: { binary_data_size: floats.length },
    };
    t.equal((await infer(app, v2, { inputs: [sized] }, floats)).statusCode, 200);
  },
);

t.test('the values that a body may have fit the nested lists of the largest batch', async (t) => {
  for (const layout of ['nchw', 'nhwc'] as const) {
    const input = { ...grayInput, width: 3, height: 5, layout };
    const lists = layout === 'nchw' ? 1 + 1 + 5 : 1 + 5 + 15;
    t.equal(jsonLimits(input, 4).maxValues, 1024 + 5 * (15 + lists));
  }
});
