// the routes' schemas → OpenAPI, as JSON, as YAML, and as pages that need no network.
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';

export interface OpenapiOptions {
  version: string;
}

/** Has to come before the routes it describes. */
export const openapi = fp(
  async (app: FastifyInstance, { version }: OpenapiOptions) => {
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Quati',
          version,
          description: 'Image classifiers over HTTP. Errors are RFC 9457 problems, listed in docs/http.md.',
          license: { name: 'MIT', identifier: 'MIT' },
        },
        servers: [{ url: '/' }],
        tags: [
          { name: 'classification', description: 'Images to categories.' },
          { name: 'models', description: 'What is served.' },
          { name: 'health', description: 'For orchestrators.' },
          {
            name: 'open inference',
            description: 'Open Inference Protocol v2, as Triton and KServe speak it.',
          },
          { name: 'tensorflow serving', description: 'The REST interface of TensorFlow Serving.' },
        ],
      },
      refResolver: { buildLocalReference: (json, _uri, _fragment, i) => String(json.$id ?? `schema-${i}`) },
    });
    await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true, uiConfig: { deepLinking: true } });
    app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
    app.get('/openapi.yaml', { schema: { hide: true } }, async (_request, reply) => {
      await reply.type('application/yaml').send(app.swagger({ yaml: true }));
    });
  },
  { name: 'openapi' },
);
