// the routes' schemas → OpenAPI, as JSON, as YAML, and as pages that need no network.
import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import Fastify, { type FastifyInstance, type RouteOptions } from 'fastify';
import { schemaController } from './schema-compilers.js';

/** The input of the documentation. */
export interface Documented {
  version: string;
  /** Routes with whole paths. Those without a schema, or with a hidden one, are left out. */
  routes: readonly RouteOptions[];
  /** The schemas that the routes refer to by $id. */
  schemas: readonly unknown[];
}

/** Swagger UI uses data: URLs for icons and one inline style sheet, allowed by its hash. A test fails if that hash changes. */
const docsPolicy = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='",
  'img-src': "'self' data: blob:",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
};

const keyNote = 'Needed if QUATI_API_KEYS is set. The page, health and the documentation need no key.';

/** Creates a separate app for /docs, /openapi.json and /openapi.yaml. It does not listen. */
export async function createDocumentation({
  version,
  routes,
  schemas,
}: Documented): Promise<FastifyInstance> {
  const app = Fastify({ schemaController, exposeHeadRoutes: false });
  await app.register(swagger, {
    openapi: describeService(version),
    refResolver: { buildLocalReference: (json, _uri, _fragment, i) => String(json.$id ?? `schema-${i}`) },
  });
  for (const schema of schemas) app.addSchema(schema);
  for (const { method, url, schema } of routes)
    if (method !== 'HEAD' && schema && !schema.hide)
      app.route({ method, url, schema, handler: (_request, reply) => reply.callNotFound() });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: docsPolicy,
    uiConfig: { deepLinking: true },
    theme: { title: 'Quati API' },
  });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  app.get('/openapi.yaml', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('application/yaml').send(app.swagger({ yaml: true })),
  );
  await app.ready();
  return app;
}

/** Returns the part of the OpenAPI document that does not depend on the routes. */
function describeService(version: string): NonNullable<FastifyDynamicSwaggerOptions['openapi']> {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Quati',
      version,
      description: 'Image classifiers over HTTP. Errors are RFC 9457 problems, listed in docs/http.md.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: keyNote },
        apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key', description: keyNote },
      },
    },
    // One of the two, or none: the operator decides whether keys are needed.
    security: [{}, { bearer: [] }, { apiKey: [] }],
    tags: [
      { name: 'classification', description: 'Images → categories.' },
      { name: 'models', description: 'The models and their versions.' },
      { name: 'health', description: 'Health and metrics, for orchestrators and Prometheus.' },
      {
        name: 'open inference',
        description: 'Open Inference Protocol v2, as in Triton and KServe.',
      },
      { name: 'tensorflow serving', description: 'The REST interface of TensorFlow Serving.' },
    ],
  };
}
