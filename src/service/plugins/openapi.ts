// /docs, /openapi.json and /openapi.yaml: answered by the documentation, which is made when it is first asked for.
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import fp from 'fastify-plugin';
import { nothingAt } from './problems.js';

export interface OpenapiOptions {
  version: string;
}

/** What belongs to a connection; this one's answer gets its own. */
const ofConnection = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'date']);

/** Has to come before the routes it describes. */
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
      // Swagger UI and what makes OpenAPI would be a tenth of a start, and most servers are never asked.
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
