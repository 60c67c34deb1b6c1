// the form of a refusal: that of the protocol below its prefix, a problem everywhere else.
import t from 'tap';
import { createTestApp } from '../../helpers/service.js';

const key = 'a-key-of-this-test';
const headers = { 'x-api-key': key };

t.test('below /v1 and /v2 the router refuses in the form of the protocol', async (t) => {
  const app = await createTestApp(t, { apiKeys: [key] });
  const refusals: [method: 'GET' | 'POST' | 'PUT', url: string, status: number][] = [
    ['GET', '/v1', 404],
    ['GET', '/v1?x=1', 404],
    ['GET', '/v1/models', 404],
    ['GET', '/v2/', 404],
    ['POST', '/v2/nothing', 404],
    ['POST', '/v2', 405],
    ['PUT', '/v1/models/brightness', 405],
    ['GET', '/v1/models/%zz', 400],
    ['GET', '/v2/models/%zz?x=1', 400],
  ];
  for (const [method, url, status] of refusals) {
    const response = await app.inject({ method, url, headers });
    t.equal(response.statusCode, status, `${method} ${url}`);
    t.match(response.headers['content-type'], /^application\/json/);
    t.same(Object.keys(response.json()), ['error'], `${method} ${url}`);
    t.ok(response.headers['x-request-id']);
  }
});

t.test('paths that only start like a prefix get problems', async (t) => {
  const app = await createTestApp(t, { apiKeys: [key] });
  for (const url of ['/v1x', '/v20/models', '/models/v2/x', '/V2', '/models/%zz']) {
    const response = await app.inject({ url, headers });
    t.match(response.headers['content-type'], /^application\/problem\+json/, url);
    t.match(response.json(), { code: /^(not_found|bad_request)$/ }, url);
  }
});

t.test('a path that does not exist is 404 with CORS too, although OPTIONS works on every path', async (t) => {
  const app = await createTestApp(t, { corsOrigins: ['https://example.org'] });
  for (const url of ['/nothing', '/v2/nothing']) t.equal((await app.inject(url)).statusCode, 404, url);
  const { headers } = await app.inject({ method: 'PUT', url: '/models' });
  t.equal(headers.allow, 'GET, HEAD, OPTIONS');
});
