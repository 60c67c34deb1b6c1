// /docs, /openapi.json and /openapi.yaml → the documentation, which is created at the first request for it.
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import fp from 'fastify-plugin';
import { hasDotSegment } from '../request-target.js';
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
      const { url } = request;
      // Resolved, it would be another path.
      if (hasDotSegment(url)) throw nothingAt(request);
      documentation ??= makeDocumentation();
      const { 'if-none-match': etag, 'if-modified-since': since } = request.headers;
      const headers = {
        ...(etag && { 'if-none-match': etag }),
        ...(since && { 'if-modified-since': since }),
      };
      const answer = await (await documentation).inject({ method: 'GET', url, headers });
      // A broken path is refused in another form there.
      if (answer.statusCode >= 400 && answer.statusCode < 500) throw nothingAt(request);
      if (answer.statusCode >= 500) throw new Error(`The documentation failed: ${answer.body}`);
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
