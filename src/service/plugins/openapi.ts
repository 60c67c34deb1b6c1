// /docs, /openapi.json and /openapi.yaml → the documentation, which is created at the first request for it.
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import fp from 'fastify-plugin';
import { nothingAt } from './problems.js';

export interface OpenapiOptions {
  version: string;
}

/** Headers of a connection. The response of this server has its own. */
const ofConnection = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'date']);

/** Must be registered before the routes that it describes. */
export const openapi = fp(
  async (app: FastifyInstance, { version }: OpenapiOptions) => {
    const routes: RouteOptions[] = [];
    const contexts = new Set<FastifyInstance>();
    app.addHook('onRoute', function collect(this: FastifyInstance, route) {
      routes.push(route);
      contexts.add(this);
    });
    let documentation: Promise<FastifyInstance> | undefined;

    async function makeDocumentation(): Promise<FastifyInstance> {
      // Swagger UI and the OpenAPI generator would take a tenth of the start, and most servers never need them.
      const { createDocumentation } = await import('../documentation.js');
      const schemas = Object.assign({}, ...[...contexts].map((context) => context.getSchemas()));
      return createDocumentation({ version, routes, schemas: Object.values(schemas) });
    }

    async function forward(request: FastifyRequest, reply: FastifyReply) {
      documentation ??= makeDocumentation();
      const { url, headers } = request;
      const answer = await (await documentation).inject({ method: 'GET', url, headers });
      if (answer.statusCode === 404) throw nothingAt(request);
      for (const [name, value] of Object.entries(answer.headers))
        if (value !== undefined && !ofConnection.has(name)) reply.header(name, value);
      return reply.code(answer.statusCode).send(answer.rawPayload);
    }

    for (const url of ['/docs', '/docs/*', '/openapi.json', '/openapi.yaml'])
      app.get(url, { config: { open: true }, schema: { hide: true } }, forward);
    app.addHook('onClose', async () => documentation?.then((made) => made.close()).catch(() => {}));
  },
  { name: 'openapi' },
);
