// the modules that a server loads before its first response. An unneeded module would make every start longer.
import { createRequire } from 'node:module';
import t from 'tap';
import { createTestApp } from '../helpers/service.js';

const { cache } = createRequire(import.meta.url);

function isLoaded(name: string): boolean {
  return Object.keys(cache).some((file) => file.includes(`/node_modules/${name}/`));
}

t.test('the modules of the documentation are loaded at the first request to it', async (t) => {
  const app = await createTestApp(t);
  t.equal((await app.inject('/health/ready')).statusCode, 200);
  t.ok(isLoaded('fastify'), 'modules are seen');
  for (const name of ['ajv', '@fastify/static', '@fastify/swagger', '@fastify/swagger-ui'])
    t.notOk(isLoaded(name), `${name} is not loaded by a start`);
  const [first, second] = await Promise.all([app.inject('/openapi.json'), app.inject('/docs')]);
  t.equal(first.json().info.title, 'Quati');
  t.match(second.headers['content-type'], /^text\/html/);
  t.ok(isLoaded('@fastify/swagger-ui'));
});

t.test('an unknown path below /docs is refused like any other unknown path', async (t) => {
  const app = await createTestApp(t);
  t.match((await app.inject('/docs/static/nothing.js')).json(), { status: 404, code: 'not_found' });
  const [below, elsewhere] = await Promise.all(
    ['/docs/none', '/none'].map((url) =>
      app.inject({ url: `${url}?key=secret`, headers: { 'x-request-id': 'same' } }),
    ),
  );
  t.equal(below?.body.replace('/docs/none', '/none'), elsewhere?.body);
});

t.test('a file of the documentation that the client already has is not sent again', async (t) => {
  const app = await createTestApp(t);
  const first = await app.inject('/docs/static/swagger-ui.css');
  const etag = String(first.headers.etag);
  const again = await app.inject({
    url: '/docs/static/swagger-ui.css',
    headers: { 'if-none-match': etag },
  });
  t.equal(again.statusCode, 304);
  t.equal(again.body, '');
  const head = await app.inject({ method: 'HEAD', url: '/docs/static/swagger-ui.css' });
  t.equal(head.statusCode, 200);
  t.equal(head.body, '');
  t.equal(head.headers['content-length'], first.headers['content-length']);
});
