// errors, unknown paths and wrong methods → problem+json; under /v1 and /v2, the shape that their protocols have.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { createProblem, errorToProblem, type ProblemCode, ProblemError, problemHeaders } from '../errors.js';
import { Problem, ProtocolError } from '../schemas/problem.js';

export const problems = fp(
  async (app: FastifyInstance) => {
    const methodsOf = collectMethods(app);
    for (const schema of [Problem, ProtocolError]) app.addSchema(schema);
    app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply));
    app.setNotFoundHandler((request, reply) => {
      const path = pathOf(request);
      const allowed = methodsOf(path);
      if (allowed.length === 0) throw nothingAt(request);
      reply.header('allow', allowed.join(', '));
      const detail = `${path} takes ${allowed.join(', ')}, not ${request.method}`;
      throw new ProblemError('method_not_allowed', detail);
    });
  },
  { name: 'problems' },
);

/** What a path is answered with that the service does not have. */
export function nothingAt(request: FastifyRequest): ProblemError {
  return new ProblemError('not_found', `There is nothing at ${pathOf(request)}`);
}

function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0] ?? '';
}

export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = errorToProblem(error, request.id);
  request.server.metrics.rejected(problem.code);
  if (problem.code === 'internal') request.log.error({ err: error }, problem.title);
  else request.log.debug({ err: error }, problem.title);
  reply.code(problem.status).headers(problemHeaders(problem.code, error));
  if (isProtocolPath(request.url)) return reply.type('application/json').send({ error: problem.detail });
  return reply.type('application/problem+json').send(problem);
}

function isProtocolPath(url: string): boolean {
  return /^\/v[12](?=[/?]|$)/.test(url);
}

/** The bytes of a whole response, for requests that are too broken to reach a route. */
export function rawProblemResponse(code: ProblemCode, detail: string, requestId: string): string {
  const problem = createProblem(code, detail, requestId);
  const body = JSON.stringify(problem);
  return [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    'connection: close',
    '',
    body,
  ].join('\r\n');
}

/** Fastify answers 404 where a path exists and its method doesn't; this remembers what paths there are. */
function collectMethods(app: FastifyInstance): (path: string) => string[] {
  const routes = new Map<string, { pattern: RegExp; methods: Set<string> }>();
  app.addHook('onRoute', ({ url, method }) => {
    const route = routes.get(url) ?? { pattern: pathPattern(url), methods: new Set() };
    for (const name of [method].flat()) route.methods.add(name);
    routes.set(url, route);
  });
  return (path) => {
    const found = [...routes.values()].filter(({ pattern }) => pattern.test(path));
    return [...new Set(found.flatMap(({ methods }) => [...methods]))].sort();
  };
}

/** `:name([^/:]+)::verb` is a parameter, and a colon that is meant. */
function pathPattern(url: string): RegExp {
  const literal = url.replace(/(:\w+)\([^)]*\)/g, '$1').replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  const parts = literal.replace(/::|:\w+/g, (part) => (part === '::' ? ':' : '[^/:]+'));
  return new RegExp(`^${parts.replace(/\*/g, '.*')}$`);
}
