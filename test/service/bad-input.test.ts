// bad uploads over a real socket → their problems, and the next good request works.
import { request } from 'node:http';
import t from 'tap';
import { hollowPng, jpeg, noise, png, solidPng, svg, tiff, truncatedPng } from '../helpers/images.js';
import { avifFile, heicFile } from '../helpers/other-files.js';
import { createTestApp, form, type InjectBody } from '../helpers/service.js';

const maxUploadBytes = 100_000;
const maxPixels = 1_000_000;
const good = solidPng(28, 28, 255);
const large = png(400, 400, 1, noise(400 * 400));
const photo = await jpeg(100, 100, 90);

const app = await createTestApp(t, { maxUploadBytes, maxPixels });
const url = await app.listen({ port: 0, host: '127.0.0.1' });

interface Case {
  title: string;
  expect: [status: number, code: string];
  detail?: RegExp;
  path?: string;
  body: InjectBody | Buffer | undefined;
}

const cases: Case[] = [
  { title: 'no body', expect: [400, 'bad_request'], body: undefined },
  { title: 'an empty body', expect: [400, 'bad_request'], body: Buffer.alloc(0) },
  { title: 'a form without file', expect: [400, 'bad_request'], body: await form(['note', 'text']) },
  { title: 'a form without fields', expect: [400, 'bad_request'], body: await form() },
  {
    title: 'a file in a field with another name',
    expect: [400, 'bad_request'],
    body: await form(['image', good]),
  },
  {
    title: 'two files',
    expect: [400, 'bad_request'],
    body: await form(['file', good], ['file', good]),
  },
  {
    title: 'more files than a form may have',
    expect: [400, 'bad_request'],
    body: await form(...Array.from({ length: 40 }, (_, i): [string, Buffer] => [`f${i}`, good])),
  },
  { title: 'a file field that holds text', expect: [400, 'bad_request'], body: await form(['file', 'text']) },
  { title: 'an empty file', expect: [400, 'bad_request'], body: await form(['file', Buffer.alloc(0)]) },
  {
    title: 'a form without a boundary',
    expect: [400, 'bad_request'],
    body: { headers: { 'content-type': 'multipart/form-data' }, payload: good },
  },
  {
    title: 'a body that is not a form, although its header says so',
    expect: [400, 'bad_request'],
    body: { headers: { 'content-type': 'multipart/form-data; boundary=x' }, payload: good },
  },
  { title: 'a form that is cut off', expect: [400, 'bad_request'], body: await brokenOff() },
  {
    title: 'text named .png',
    expect: [415, 'unsupported_type'],
    body: await form(['file', Buffer.from('not an image')]),
  },
  { title: 'SVG named .png', expect: [415, 'unsupported_type'], body: await form(['file', svg()]) },
  { title: 'a TIFF', expect: [415, 'unsupported_type'], body: tiff() },
  {
    title: 'a HEIC photo named .jpg',
    expect: [415, 'unsupported_type'],
    detail: /^The file is HEIC, not PNG, JPEG, WebP or GIF: convert it to JPEG, .*Most Compatible/,
    body: await form(['file', heicFile()]),
  },
  {
    title: 'an AVIF photo',
    expect: [415, 'unsupported_type'],
    detail: /^The file is AVIF/,
    body: avifFile(),
  },
  {
    title: 'a truncated PNG',
    expect: [422, 'undecodable_image'],
    body: await form(['file', truncatedPng()]),
  },
  {
    title: 'a truncated JPEG',
    expect: [422, 'undecodable_image'],
    body: photo.subarray(0, photo.length / 2),
  },
  {
    title: 'more pixels than allowed',
    expect: [413, 'too_many_pixels'],
    body: await form(['file', hollowPng(30_000, 30_000)]),
  },
  {
    title: 'a file of more bytes than allowed',
    expect: [413, 'too_many_bytes'],
    body: await form(['file', large]),
  },
  { title: 'a body of more bytes than allowed', expect: [413, 'too_many_bytes'], body: large },
  {
    title: 'two files of more bytes than allowed',
    expect: [413, 'too_many_bytes'],
    body: await form(['file', large], ['file', large]),
  },
  {
    title: 'an unknown model',
    expect: [404, 'model_not_found'],
    path: '/predict?model=none',
    body: await form(['file', good]),
  },
  {
    title: 'an unknown model in the path',
    expect: [404, 'model_not_found'],
    path: '/models/none/predict',
    body: good,
  },
  {
    title: 'an unknown version',
    expect: [404, 'model_not_found'],
    path: '/models/brightness/versions/9/predict',
    body: good,
  },
  {
    title: 'a version that is not a number',
    expect: [400, 'bad_request'],
    path: '/models/brightness/versions/x/predict',
    body: good,
  },
  { title: 'a top of 0', expect: [400, 'bad_request'], path: '/predict?top=0', body: good },
  { title: 'an unknown parameter', expect: [400, 'bad_request'], path: '/predict?tops=1', body: good },
];

for (const { title, expect, detail, path = '/predict', body } of cases) {
  t.test(`${title}: ${expect.join(' ')}, and the next request is answered`, async (t) => {
    const [status, code] = expect;
    const response = await post(path, body);
    const problem = (await response.json()) as Record<string, unknown>;
    t.match(problem, {
      status,
      code,
      type: `urn:quati:problem:${code}`,
      title: String,
      detail: detail ?? /\w/,
    });
    t.equal(response.status, status);
    t.match(response.headers.get('content-type'), /^application\/problem\+json/);
    t.equal(problem.requestId, response.headers.get('x-request-id'));
    t.same(await (await post('/predict', good)).json(), { category: 'bright' });
  });
}

for (const framing of ['declared', 'chunked'] as const) {
  t.test(`an upload far over the limit is refused while it is still arriving (${framing})`, async (t) => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const upload = request(`${url}/predict`, { method: 'POST' }, (response) => {
        upload.destroy();
        resolve(response.statusCode);
      });
      upload.on('error', reject);
      if (framing === 'declared') upload.setHeader('content-length', 1e9);
      upload.write(Buffer.alloc(2 * maxUploadBytes));
    });
    t.equal(status, 413);
    t.same(await (await post('/predict', good)).json(), { category: 'bright' });
  });
}

t.test('a server still works after a client closed its connection during an upload', async (t) => {
  const boundary = 'x';
  const upload = request(`${url}/predict`, {
    method: 'POST',
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}`, 'content-length': 10_000 },
  });
  upload.on('error', () => {});
  upload.write(`--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\n`);
  await new Promise((sent) => upload.write(good, sent));
  upload.destroy();
  t.same(await (await post('/predict', good)).json(), { category: 'bright' });
});

async function post(path: string, body: InjectBody | Buffer | undefined): Promise<Response> {
  const init =
    body === undefined || Buffer.isBuffer(body)
      ? { body: body && new Uint8Array(body) }
      : { body: new Uint8Array(body.payload), headers: body.headers };
  return await fetch(url + path, { method: 'POST', signal: AbortSignal.timeout(20_000), ...clean(init) });
}

function clean(init: {
  body: Uint8Array<ArrayBuffer> | undefined;
  headers?: Record<string, string>;
}): RequestInit {
  return init.body === undefined ? {} : { ...init, body: init.body };
}

async function brokenOff(): Promise<InjectBody> {
  const whole = await form(['file', good]);
  return { ...whole, payload: whole.payload.subarray(0, whole.payload.length - 60) };
}
