// every code of the catalogue ← a request that provokes it.
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import t from 'tap';
import { jpegOfSegments } from '../../scripts/attack/images/jpeg-floods.js';
import {
  DeadlineExceededError,
  DrainingError,
  ModelError,
  QueueFullError,
} from '../../src/inference/errors.js';
import { catalogue, type ProblemCode } from '../../src/service/errors.js';
import { grayInput } from '../helpers/fixture-model.js';
import { hollowPng, solidPng, svg, truncatedPng } from '../helpers/images.js';
import { createFakeApp, createTestApp, type InjectBody } from '../helpers/service.js';

const good = solidPng(28, 28, 255);

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  body: string;
}

/** The compiler reports a code that has no request here. */
const provocations: Record<ProblemCode, (t: Test) => Promise<Answer>> = {
  bad_request: async (t) => post(await createTestApp(t), '/predict', Buffer.alloc(0)),
  unauthorised: async (t) =>
    post(await createTestApp(t, { apiKeys: ['0123456789abcdef'] }), '/predict', good),
  not_found: async (t) => post(await createTestApp(t), '/nothing', good),
  model_not_found: async (t) => post(await createTestApp(t), '/models/none/predict', good),
  method_not_allowed: async (t) => inject(await createTestApp(t), { method: 'PUT', url: '/predict' }),
  request_timeout: async (t) => {
    const app = await createTestApp(t, { requestTimeoutMs: 200 });
    return await sendRaw(app, 'POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nslow');
  },
  too_many_bytes: async (t) => post(await createTestApp(t, { maxUploadBytes: 20 }), '/predict', good),
  too_many_pixels: async (t) => post(await createTestApp(t), '/predict', hollowPng(30_000, 30_000)),
  too_complex: async (t) => post(await createTestApp(t), '/predict', jpegOfSegments(2000)),
  unsupported_type: async (t) => post(await createTestApp(t), '/predict', svg()),
  no_ink: async (t) => {
    const input = { ...grayInput, polarity: 'auto', centre: { box: 20 } } as const;
    return post(
      await createTestApp(t, { models: [{ input, change: (card) => ({ ...card, golden: [] }) }] }),
      '/predict',
      good,
    );
  },
  undecodable_image: async (t) => post(await createTestApp(t), '/predict', truncatedPng()),
  expectation_failed: async (t) =>
    sendRaw(
      await createTestApp(t),
      'GET /models HTTP/1.1\r\nhost: x\r\nexpect: tea\r\nconnection: close\r\n\r\n',
    ),
  headers_too_large: async (t) =>
    sendRaw(await createTestApp(t), `GET /models HTTP/1.1\r\nhost: x\r\nlong: ${'x'.repeat(20_000)}\r\n\r\n`),
  queue_full: (t) => postTo(t, new QueueFullError('The queue holds 1 images, allowed are 1', 400)),
  not_ready: async (t) => {
    const app = await createTestApp(t, { models: [{ change: (card) => ({ ...card, name: 'other' }) }] });
    return await post(app, '/predict', good);
  },
  rate_limited: async (t) => {
    const app = await createTestApp(t, { rateLimit: 1 });
    await post(app, '/predict', good);
    return await post(app, '/predict', good);
  },
  draining: (t) => postTo(t, new DrainingError('The server is shutting down')),
  deadline_exceeded: (t) => postTo(t, new DeadlineExceededError('The deadline passed')),
  internal: (t) => postTo(t, new ModelError('Output: /secret/path')),
};
type Test = Parameters<typeof createTestApp>[0];

for (const [code, provoke] of Object.entries(provocations)) {
  t.test(`${code} is answered with its status, title and headers`, async (t) => {
    const { status, title, ...entry } = catalogue[code as ProblemCode];
    const answer = await provoke(t);
    t.equal(answer.status, status);
    t.match(answer.headers['content-type'], /^application\/problem\+json/);
    const problem = JSON.parse(answer.body);
    t.match(problem, { type: `urn:quati:problem:${code}`, title, status, code, detail: /\w/ });
    t.match(problem.requestId, /^[\w-]+$/);
    t.equal(problem.requestId, answer.headers['x-request-id']);
    const seconds = 'retryAfterSeconds' in entry ? String(entry.retryAfterSeconds) : undefined;
    if (code === 'rate_limited') t.match(answer.headers['retry-after'], /^\d+$/);
    else t.equal(answer.headers['retry-after'], seconds);
  });
}

t.test('the details of an internal error are not in the response', async (t) => {
  const answer = await provocations.internal(t);
  t.notMatch(answer.body, /secret/);
  const thrown = await postTo(t, Object.assign(new Error('secret'), { statusCode: 503 }));
  t.equal(thrown.status, 500);
  t.notMatch(thrown.body, /secret/);
});

t.test('a wrong method is 405, and Allow lists the right ones', async (t) => {
  const app = await createTestApp(t);
  t.equal((await app.inject({ method: 'DELETE', url: '/predict' })).headers.allow, 'POST');
  t.equal((await app.inject({ method: 'POST', url: '/models' })).headers.allow, 'GET, HEAD');
  t.equal((await app.inject({ method: 'PUT', url: '/models/any/versions/1/predict' })).headers.allow, 'POST');
});

t.test('bytes that are not HTTP, and a path that is not UTF-8, are bad requests', async (t) => {
  const app = await createTestApp(t);
  t.match(JSON.parse((await sendRaw(app, 'nonsense\r\n\r\n')).body), { code: 'bad_request', status: 400 });
  t.match((await app.inject('/models/%zz')).json(), { code: 'bad_request', status: 400 });
});

async function post(app: FastifyInstance, url: string, payload: Buffer): Promise<Answer> {
  return await inject(app, { method: 'POST', url, headers: { 'content-type': 'image/png' }, payload });
}

async function postTo(t: Test, error: Error): Promise<Answer> {
  return await post(await createFakeApp(t, () => Promise.reject(error)), '/predict', good);
}

async function inject(
  app: FastifyInstance,
  request: { method: 'POST' | 'PUT'; url: string } & Partial<InjectBody>,
): Promise<Answer> {
  const { statusCode, headers, body } = await app.inject(request);
  return { status: statusCode, headers, body };
}

/** Writes these bytes to a real socket and never ends them. */
async function sendRaw(app: FastifyInstance, bytes: string): Promise<Answer> {
  const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
  const socket = connect({ port: Number(port), host: '127.0.0.1' });
  socket.write(bytes);
  const response = await Promise.race([text(socket), sleep(20_000, '', { ref: false })]);
  const [head = '', body = ''] = response.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line) => line.split(': ', 2) as [string, string]);
  return { status: Number(statusLine.split(' ')[1]), headers: Object.fromEntries(headers), body };
}
