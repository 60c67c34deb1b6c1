// API keys, a rate limit, CORS, the headers of pages, and who needs none of it.
import t from 'tap';
import { solidPng } from '../helpers/images.js';
import { createTestApp } from '../helpers/service.js';

const image = solidPng(28, 28, 255);
const [key, other] = ['first-key-of-many', 'another-key-of-16'];

t.test('with API keys set, models answer those who present one, either way', async (t) => {
  const app = await createTestApp(t, { apiKeys: [key, other] });
  const ask = async (headers: Record<string, string>, url = '/predict') =>
    (await app.inject({ method: 'POST', url, payload: image, headers })).statusCode;
  t.equal(await ask({ authorization: `Bearer ${key}` }), 200);
  t.equal(await ask({ 'x-api-key': other }), 200);
  for (const headers of [
    {},
    { 'x-api-key': key.slice(1) },
    { authorization: `Basic ${key}` },
    { 'x-api-key': '' },
  ])
    t.equal(await ask(headers), 401);
  t.equal((await app.inject('/models')).statusCode, 401);
  t.equal((await app.inject('/metrics')).statusCode, 401);
  t.equal((await app.inject('/nothing')).statusCode, 401, 'what paths there are is told to nobody else');
});

t.test('health and the documentation need no key and count for no limit', async (t) => {
  const app = await createTestApp(t, { apiKeys: [key], rateLimit: 1 });
  for (const url of [
    '/health/live',
    '/health/ready',
    '/docs',
    '/openapi.json',
    '/docs/static/swagger-ui.css',
  ])
    t.equal((await app.inject(url)).statusCode, 200, url);
});

t.test('what has no route needs a key, below an open path too', async (t) => {
  const app = await createTestApp(t, { apiKeys: [key] });
  for (const url of ['/health/none', '/v2/health/none', '/openapi.none'])
    t.equal((await app.inject(url)).statusCode, 401, url);
  t.equal((await app.inject({ method: 'POST', url: '/health/live' })).statusCode, 401);
  const headers = { 'x-api-key': key };
  t.equal((await app.inject({ method: 'POST', url: '/health/live', headers })).statusCode, 405);
});

t.test('the rate limit is one for each key, else for each address', async (t) => {
  const app = await createTestApp(t, { apiKeys: [key, other], rateLimit: 2 });
  const ask = async (given: string) => app.inject({ url: '/models', headers: { 'x-api-key': given } });
  t.equal((await ask(key)).statusCode, 200);
  t.equal((await ask(key)).statusCode, 200);
  const refused = await ask(key);
  t.match(refused.json(), { status: 429, code: 'rate_limited', detail: /More than 2 requests in a minute/ });
  t.ok(Number(refused.headers['retry-after']) <= 60);
  t.equal((await ask(other)).statusCode, 200);
});

t.test('X-Forwarded-For tells addresses apart only where a proxy is trusted', async (t) => {
  for (const trustProxy of ['yes', 'no'] as const) {
    const app = await createTestApp(t, { rateLimit: 1, trustProxy });
    const ask = async (address: string) =>
      (await app.inject({ url: '/models', headers: { 'x-forwarded-for': address } })).statusCode;
    t.equal(await ask('10.0.0.1'), 200);
    t.equal(await ask('10.0.0.2'), trustProxy === 'yes' ? 200 : 429);
  }
});

t.test(
  'pages of named origins may ask, others may not; without origins nothing is said of them',
  async (t) => {
    const origin = 'https://example.org';
    const allowed = async (app: Awaited<ReturnType<typeof createTestApp>>, asking: string) =>
      (await app.inject({ url: '/models', headers: { origin: asking } })).headers[
        'access-control-allow-origin'
      ];
    const named = await createTestApp(t, { corsOrigins: [origin] });
    t.equal(await allowed(named, origin), origin);
    t.equal(await allowed(named, 'https://example.com'), undefined);
    t.equal(await allowed(await createTestApp(t, { corsOrigins: ['*'] }), origin), '*');
    t.equal(await allowed(await createTestApp(t), origin), undefined);
  },
);

t.test('a preflight needs no key', async (t) => {
  const app = await createTestApp(t, { corsOrigins: ['https://example.org'], apiKeys: [key] });
  const headers = { origin: 'https://example.org', 'access-control-request-method': 'POST' };
  const response = await app.inject({ method: 'OPTIONS', url: '/predict', headers });
  t.equal(response.statusCode, 204);
  t.match(response.headers['access-control-allow-methods'], /POST/);
});

t.test('answers forbid sniffing and framing; no TLS is claimed that a proxy would have', async (t) => {
  const { headers } = await (await createTestApp(t)).inject('/models');
  t.equal(headers['x-content-type-options'], 'nosniff');
  t.match(headers['content-security-policy'], /frame-ancestors 'none'/);
  t.notMatch(headers['content-security-policy'], /upgrade-insecure-requests/);
  t.equal(headers['strict-transport-security'], undefined);
});
