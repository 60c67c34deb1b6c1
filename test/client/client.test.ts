import t from 'tap';
import { createClient, ProblemError } from '../../src/client/client.js';
import { retryDelayMs } from '../../src/client/http.js';
import { deadUrl, fakeServer, prediction, problem, type Upload } from './fake-server.js';

const image = Buffer.from('the bytes of an image');

t.test('an image is posted as the field file, and the prediction comes back', async (t) => {
  const uploads: Upload[] = [];
  const { url } = await fakeServer(t, {
    predict: (upload) => {
      uploads.push(upload);
      return prediction('7', 'mnist', 0.99);
    },
  });
  t.strictSame(await createClient({ baseUrl: url }).predict(image, { filename: '7-1.png' }), {
    category: '7',
    confidence: 0.99,
    predictions: [{ category: '7', confidence: 0.99 }],
    model: { name: 'mnist', version: 1, variant: 'int8' },
  });
  t.match(uploads, [{ filename: '7-1.png', bytes: image, model: undefined, top: '1' }]);
});

t.test('a Blob is posted like bytes', async (t) => {
  const { url } = await fakeServer(t, { predict: ({ bytes }) => prediction(bytes.toString()) });
  t.match(await createClient({ baseUrl: url }).predict(new Blob(['x'])), { category: 'x' });
});

t.test('model, version and top choose the path and the query', async (t) => {
  const { url, requests } = await fakeServer(t, { models: { 'a b': ['x', 'y'] } });
  const client = createClient({ baseUrl: `${url}/` });
  await client.predict(image, { model: 'a b', top: 3 });
  await client.predict(image, { model: 'a b', version: 2 });
  t.strictSame(requests, ['POST /models/a%20b/predict?top=3', 'POST /models/a%20b/versions/2/predict?top=1']);
  await t.rejects(client.predict(image, { version: 2 }), { message: 'a version needs a model' });
});

t.test('a path in the base URL is kept', async (t) => {
  const asked: string[] = [];
  const fetch = (url: Parameters<typeof globalThis.fetch>[0]) => {
    asked.push(String(url));
    return Promise.resolve(Response.json({ models: [] }));
  };
  await createClient({ baseUrl: 'https://example.org/quati', fetch }).models();
  t.strictSame(asked, ['https://example.org/quati/models']);
});

t.test('models lists names and labels, model gives one', async (t) => {
  const models = { cats: ['cat', 'dog'], mnist: ['0', '1'] };
  const client = createClient({ baseUrl: (await fakeServer(t, { models, notReady: ['mnist'] })).url });
  t.strictSame(await client.models(), [
    { name: 'cats', labels: ['cat', 'dog'], version: 1, ready: true },
    { name: 'mnist', labels: ['0', '1'], version: 1, ready: false },
  ]);
  t.strictSame(await client.model('mnist'), {
    name: 'mnist',
    labels: ['0', '1'],
    version: 1,
    ready: false,
  });
});

t.test('a problem is thrown with status, code, detail and request id, without a retry', async (t) => {
  const { url, requests } = await fakeServer(t, {
    predict: () => problem(415, 'unsupported_type', 'The bytes are no image'),
  });
  const error = await createClient({ baseUrl: url })
    .predict(image)
    .catch((thrown: unknown) => thrown);
  t.ok(error instanceof ProblemError);
  t.match(error, {
    status: 415,
    code: 'unsupported_type',
    detail: 'The bytes are no image',
    requestId: 'req-1',
    message: 'The bytes are no image (unsupported_type, status 415)',
  });
  t.equal(requests.length, 1);
});

t.test('an error without a problem, for example from a proxy, still has status and detail', async (t) => {
  const { url } = await fakeServer(t, { predict: () => ({ status: 502, body: '<h1>Bad Gateway</h1>' }) });
  await t.rejects(createClient({ baseUrl: url }).predict(image), {
    name: 'ProblemError',
    status: 502,
    code: 'http_502',
    detail: 'Bad Gateway',
    requestId: undefined,
  });
});

for (const [status, code] of [
  [429, 'queue_full'],
  [503, 'draining'],
] as const)
  t.test(`${status} with Retry-After is retried, with the image, until the request succeeds`, async (t) => {
    const { url, requests } = await fakeServer(t, {
      predict: ({ bytes }, nth) =>
        nth < 3 ? problem(status, code, 'busy', { 'retry-after': '0' }) : prediction(bytes.toString()),
    });
    t.match(await createClient({ baseUrl: url }).predict(image), { category: image.toString() });
    t.equal(requests.length, 3);
  });

t.test('retries end after `retries` attempts, with the problem', async (t) => {
  const { url, requests } = await fakeServer(t, {
    predict: () => problem(429, 'queue_full', 'busy', { 'retry-after': '0' }),
  });
  await t.rejects(createClient({ baseUrl: url, retries: 2 }).predict(image), { code: 'queue_full' });
  t.equal(requests.length, 3);
});

t.test('retries may be given for one image', async (t) => {
  const { url, requests } = await fakeServer(t, {
    predict: () => problem(503, 'not_ready', 'loading', { 'retry-after': '0' }),
  });
  await t.rejects(createClient({ baseUrl: url }).predict(image, { retries: 0 }), { code: 'not_ready' });
  t.equal(requests.length, 1);
});

t.test('503 without Retry-After is not retried', async (t) => {
  const { url, requests } = await fakeServer(t, {
    predict: () => problem(503, 'not_ready', 'damaged model'),
  });
  await t.rejects(createClient({ baseUrl: url }).predict(image), { code: 'not_ready', status: 503 });
  t.equal(requests.length, 1);
});

t.test('the pause before a retry is capped', async (t) => {
  const { url, requests } = await fakeServer(t, {
    predict: (_upload, nth) =>
      nth === 1 ? problem(429, 'queue_full', 'busy', { 'retry-after': '86400' }) : prediction('7'),
  });
  await createClient({ baseUrl: url, maxRetryDelayMs: 1 }).predict(image);
  t.equal(requests.length, 2);
});

t.test('an abort ends the pause before a retry', async (t) => {
  const { url } = await fakeServer(t, {
    predict: () => problem(429, 'queue_full', 'busy', { 'retry-after': '60' }),
  });
  const client = createClient({ baseUrl: url, maxRetryDelayMs: 60_000 });
  await t.rejects(client.predict(image, { signal: AbortSignal.timeout(100) }), {
    name: /AbortError|TimeoutError/,
  });
});

t.test('Retry-After is parsed as seconds and as a date, only for 429 and 503', async (t) => {
  const response = (status: number, value?: string) =>
    new Response(null, { status, headers: value === undefined ? {} : { 'retry-after': value } });
  const now = Date.parse('2026-01-01T00:00:00Z');
  t.equal(retryDelayMs(response(429, '2')), 2000);
  t.equal(retryDelayMs(response(503, 'Thu, 01 Jan 2026 00:00:05 GMT'), now), 5000);
  t.equal(retryDelayMs(response(503, 'Wed, 31 Dec 2025 00:00:00 GMT'), now), 0);
  t.equal(retryDelayMs(response(503, 'soon')), undefined);
  t.equal(retryDelayMs(response(503)), undefined);
  t.equal(retryDelayMs(response(500, '2')), undefined);
});

t.test('a refused connection names the URL and how to start a server', async (t) => {
  const url = await deadUrl();
  await t.rejects(createClient({ baseUrl: url }).predict(image), {
    name: 'ServerUnreachableError',
    message: `${url}: no server responds (ECONNREFUSED). Start one with \`npm start\`, or give the URL of a running server`,
  });
});

t.test('a connection that breaks and an unreachable server give different errors', async (t) => {
  const { url } = await fakeServer(t, {
    intercept: (request) => {
      request.socket.destroy();
      return undefined;
    },
  });
  await t.rejects(createClient({ baseUrl: url }).predict(image), {
    name: 'ConnectionLostError',
    message: /broke/,
  });
});

t.test('no response within timeoutMs is a TimeoutError', async (t) => {
  const { url } = await fakeServer(t, { predict: () => new Promise<never>(() => undefined) });
  await t.rejects(createClient({ baseUrl: url, timeoutMs: 50 }).predict(image), {
    name: 'TimeoutError',
    message: `${url}: no response within 50 ms`,
  });
});

t.test("the caller's abort is thrown with its own reason", async (t) => {
  const { url } = await fakeServer(t, { predict: () => new Promise<never>(() => undefined) });
  const reason = new Error('changed my mind');
  const controller = new AbortController();
  const asked = createClient({ baseUrl: url }).predict(image, { signal: controller.signal });
  controller.abort(reason);
  await t.rejects(asked, reason);
});

const strangers: [title: string, body: unknown][] = [
  ['HTML', '<!doctype html>'],
  ['a category alone', { category: '7' }],
  ['a category that is no text', { ...Object(prediction('7').body), category: 7 }],
  ['a prediction without a model', { ...Object(prediction('7').body), model: undefined }],
  ['nothing', null],
];
for (const [title, body] of strangers)
  t.test(`${title} instead of a prediction is an UnexpectedAnswerError`, async (t) => {
    const { url } = await fakeServer(t, { predict: () => ({ body }) });
    await t.rejects(createClient({ baseUrl: url }).predict(image), {
      name: 'UnexpectedAnswerError',
      message: /is not a response of a Quati server/,
    });
  });

t.test('ready returns the readiness, and an unreachable server is not ready', async (t) => {
  const { url } = await fakeServer(t);
  t.equal(await createClient({ baseUrl: url }).ready(), true);
  const warming = await fakeServer(t, {
    intercept: () => problem(503, 'not_ready', 'warming', { 'retry-after': '1' }),
  });
  t.equal(await createClient({ baseUrl: warming.url }).ready(), false);
  t.equal(await createClient({ baseUrl: await deadUrl() }).ready(), false);
});

t.test('an invalid base URL is refused at once', async (t) => {
  t.throws(() => createClient({ baseUrl: 'localhost:8000' }), {
    name: 'TypeError',
    message: 'baseUrl expected an http(s) URL, e.g. http://localhost:8000, got localhost:8000',
  });
});
