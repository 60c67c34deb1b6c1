// API keys, the rate limit, CORS, security headers, and the paths that need no key.
import t from 'tap';
import { solidPng } from '../helpers/images.js';
import { createTestApp } from '../helpers/service.js';

const image = solidPng(28, 28, 255);
const [key, other] = ['first-key-of-many', 'another-key-of-16'];

t.test('if API keys are set, requests to models need one of them, in either header', async (t) => {
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

t.test('health and the page need no key and are not counted; the documentation is counted', async (t) => {
  const app = await createTestApp(t, { apiKeys: [key], rateLimit: 3 });
  const ask = async (url: string) => (await app.inject(url)).statusCode;
  const uncounted = [
    '/health/live',
    '/health/ready',
    '/v2/health/live',
    '/v2/health/ready',
    '/',
    '/public/main.js',
  ];
  for (const url of [...uncounted, ...uncounted]) t.equal(await ask(url), 200, url);
  for (const url of ['/docs', '/openapi.json', '/openapi.yaml']) t.equal(await ask(url), 200, url);
  for (const url of ['/docs/static/swagger-ui.css', '/openapi.json', '/docs'])
    t.equal(await ask(url), 429, url);
  for (const url of uncounted) t.equal(await ask(url), 200, url);
});

t.test('a path without a route needs a key, even below an open path', async (t) => {
  const app = await createTestApp(t, { apiKeys: [key] });
  for (const url of ['/health/none', '/v2/health/none', '/openapi.none'])
    t.equal((await app.inject(url)).statusCode, 401, url);
  t.equal((await app.inject({ method: 'POST', url: '/health/live' })).statusCode, 401);
  const headers = { 'x-api-key': key };
  t.equal((await app.inject({ method: 'POST', url: '/health/live', headers })).statusCode, 405);
});

t.test('each key has its own rate limit; without a key each address has one', async (t) => {
  const app = await createTestApp(t, { apiKeys: [key, other], rateLimit: 2 });
  const ask = async (given: string) => app.inject({ url: '/models', headers: { 'x-api-key': given } });
  t.equal((await ask(key)).statusCode, 200);
  t.equal((await ask(key)).statusCode, 200);
  const refused = await ask(key);
  t.match(refused.json(), { status: 429, code: 'rate_limited', detail: /More than 2 requests in a minute/ });
  t.ok(Number(refused.headers['retry-after']) <= 60);
  t.equal((await ask(other)).statusCode, 200);
});

t.test('if no keys are set, clients that invent keys count as one client', async (t) => {
  const app = await createTestApp(t, { rateLimit: 2 });
  const statuses: number[] = [];
  for (const headers of [
    { 'x-api-key': 'a' },
    { 'x-api-key': 'b' },
    { authorization: 'Bearer c' },
    { 'x-api-key': 'd', authorization: 'Bearer e' },
    {},
  ])
    statuses.push((await app.inject({ url: '/models', headers })).statusCode);
  t.same(statuses, [200, 200, 429, 429, 429]);
});

t.test('with keys, a wrong key counts for its address, where a valid key still works', async (t) => {
  const app = await createTestApp(t, { apiKeys: [key], rateLimit: 2 });
  const ask = async (headers: Record<string, string>, remoteAddress = '192.0.2.1') =>
    (await app.inject({ url: '/models', headers, remoteAddress })).statusCode;
  t.equal(await ask({ 'x-api-key': 'guess-1' }), 401);
  t.equal(await ask({ authorization: 'Bearer guess-2' }), 401);
  for (const guess of ['guess-3', `${key}.`, 'guess-1'])
    t.equal(await ask({ 'x-api-key': guess }), 429, guess);
  t.equal(await ask({}), 429, 'no key is no other client');
  t.equal(await ask({ 'x-api-key': 'guess-4' }, '192.0.2.2'), 401, 'another address');
  t.equal(await ask({ 'x-api-key': key }), 200);
});

t.test('refusals are counted: paths without a route, wrong methods, broken paths, OPTIONS', async (t) => {
  for (const request of [
    { url: '/none' },
    { url: '/v1/none' },
    { url: '/v2/models/none' },
    { method: 'DELETE', url: '/models' },
    { method: 'POST', url: '/health/live' },
    { url: '/models/%zz' },
    { method: 'OPTIONS', url: '/models' },
  ] as const) {
    const app = await createTestApp(t, { rateLimit: 1 });
    t.not((await app.inject(request)).statusCode, 429, request.url);
    const refused = await app.inject(request);
    t.equal(refused.statusCode, 429, request.url);
    t.match(refused.headers['retry-after'], /^\d+$/);
  }
});

t.test('all addresses of an IPv6 network are one client, and IPv4 mapped to IPv6 is IPv4', async (t) => {
  const app = await createTestApp(t, { rateLimit: 1 });
  const ask = async (remoteAddress: string) =>
    (await app.inject({ url: '/models', remoteAddress })).statusCode;
  t.equal(await ask('2001:db8:0:1::1'), 200);
  t.equal(await ask('2001:db8:0:1:ffff::2'), 429);
  t.equal(await ask('2001:db8:0:2::1'), 200);
  t.equal(await ask('::ffff:192.0.2.1'), 200);
  t.equal(await ask('192.0.2.1'), 429);
  t.equal(await ask('::ffff:192.0.2.2'), 200);
  t.equal(await ask('fe80::1%eth0'), 200);
});

t.test(
  'if a proxy is trusted, the client is the address that the proxy added to X-Forwarded-For',
  async (t) => {
    const asked = async (trustProxy: string, ...forwarded: string[]) => {
      const app = await createTestApp(t, { rateLimit: 1, trustProxy });
      const statuses: number[] = [];
      for (const list of forwarded)
        statuses.push(
          (await app.inject({ url: '/models', headers: { 'x-forwarded-for': list } })).statusCode,
        );
      return statuses;
    };
    t.same(await asked('no', '10.0.0.1', '10.0.0.2'), [200, 429]);
    t.same(await asked('yes', '10.0.0.1', '10.0.0.2', '10.0.0.1'), [200, 200, 429]);
    t.same(await asked('yes', '1.1.1.1, 10.0.0.1', '2.2.2.2, 10.0.0.1', 'x, 10.0.0.1'), [200, 429, 429]);
    t.same(await asked('2', '1.1.1.1, 10.0.0.1, 10.9.9.9', '2.2.2.2, 10.0.0.1, 10.9.9.8'), [200, 429]);
    t.same(
      await asked('yes', '10.0.0.1:4000', '10.0.0.1:4001', '[2001:db8::1]:5', '2001:db8::2'),
      [200, 429, 200, 429],
    );
    t.same(await asked('yes', 'unknown', 'x'.repeat(5000), '_hidden'), [200, 429, 429], 'no address');
  },
);

t.test(
  'pages of the listed origins may send requests, others may not; without origins there are no CORS headers',
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

t.test('any other OPTIONS request needs a key, and its refusal has the form of its path', async (t) => {
  for (const corsOrigins of [undefined, ['*']]) {
    const app = await createTestApp(t, { apiKeys: [key], ...(corsOrigins && { corsOrigins }) });
    for (const url of ['/predict', '/none', '/v1/models/x', '/docs']) {
      const refused = await app.inject({ method: 'OPTIONS', url });
      t.equal(refused.statusCode, 401, url);
      const answer = await app.inject({ method: 'OPTIONS', url, headers: { 'x-api-key': key } });
      t.ok([400, 404, 405].includes(answer.statusCode), `${url}: ${answer.statusCode}`);
      t.match(answer.json(), url.startsWith('/v1') ? { error: String } : { code: String });
    }
  }
});

t.test('a page of an allowed origin can read why its request is refused', async (t) => {
  const app = await createTestApp(t, { corsOrigins: ['*'], apiKeys: [key], rateLimit: 1 });
  const headers = { origin: 'https://example.org' };
  for (const status of [401, 429]) {
    const refused = await app.inject({ url: '/models', headers });
    t.equal(refused.statusCode, status);
    t.equal(refused.headers['access-control-allow-origin'], '*');
  }
});

t.test('responses forbid sniffing and framing, and do not demand TLS, which only a proxy has', async (t) => {
  const { headers } = await (await createTestApp(t)).inject('/models');
  t.equal(headers['x-content-type-options'], 'nosniff');
  t.match(headers['content-security-policy'], /frame-ancestors 'none'/);
  t.notMatch(headers['content-security-policy'], /upgrade-insecure-requests/);
  t.equal(headers['strict-transport-security'], undefined);
});
