// the list of open paths in SECURITY.md ↔ the routes that are declared as open ↔ the paths that respond without a key.
import diagnostics from 'node:diagnostics_channel';
import { readFile } from 'node:fs/promises';
import type { FastifyInstance, RouteOptions } from 'fastify';
import t from 'tap';
import { projectUrl } from '../helpers/project.js';
import { createTestApp } from '../helpers/service.js';

const routes: RouteOptions[] = [];
diagnostics.subscribe('fastify.initialization', (message) => {
  const { fastify } = message as { fastify: FastifyInstance };
  fastify.addHook('onRoute', (route) => {
    routes.push(route);
  });
});
const app = await createTestApp(t, { apiKeys: ['a-key-of-this-test'] });
// The documentation is a separate app, created at its first request. Only the routes that exist now forward to it.
const served = [...routes];

/** Each file of the page has its own route. */
const pathOf = (url: string) => url.replace(/^\/public\/.*/, '/public/*');
const unique = (paths: string[]) => [...new Set(paths)].sort();

t.test('SECURITY.md lists the routes that are declared as open, and no others', async (t) => {
  const security = await readFile(new URL('SECURITY.md', projectUrl), 'utf8');
  const [, block = ''] = /^## Open paths\n[\s\S]*?```\n([^`]*)```/m.exec(security) ?? [];
  const listed = block.trim().split('\n');
  const open = served.filter(({ config }) => config?.open === true).map(({ url }) => pathOf(url));
  t.ok(open.length > 5);
  t.same(listed.toSorted(), unique(open));
});

t.test('only routes that are declared as open respond without a key', async (t) => {
  for (const { method, url, config } of served)
    for (const name of [method].flat()) {
      const { statusCode } = await app.inject({ method: name as 'GET', url: exampleOf(url) });
      t.equal(statusCode === 401, config?.open !== true, `${name} ${url}`);
    }
});

t.test('the rate limit skips the open paths, except the documentation, and no other paths', async (t) => {
  const documentation = ['/docs', '/docs/*', '/openapi.json', '/openapi.yaml'];
  const uncounted = served.filter(({ config }) => config?.uncounted === true).map(({ url }) => url);
  const open = served.filter(({ config }) => config?.open === true).map(({ url }) => url);
  t.same(unique(uncounted), unique(open.filter((url) => !documentation.includes(url))));
});

/** A path that the route matches: `:version([^/:]+)::predict` takes `1:predict`. */
function exampleOf(url: string): string {
  return url
    .replaceAll(/:\w+\([^)]*\)/g, '1')
    .replaceAll(/(?<!:):\w+/g, '1')
    .replaceAll('::', ':');
}
