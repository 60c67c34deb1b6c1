// errors, unknown paths and wrong methods → a refusal as problem+json, or in the form of the plugin that owns the prefix.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { cut } from '../cut.js';
import {
  errorToProblem,
  isInside,
  type Problem as ProblemBody,
  ProblemError,
  problemHeaders,
} from '../errors.js';
import { decodedPathOf, pathOf } from '../request-target.js';
import { ModelProblemCode, NotReady, Problem, ProtocolError } from '../schemas/problem.js';

/** Writes the body of a refusal. */
export interface ErrorForm {
  contentType: string;
  toBody(problem: ProblemBody): object;
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The form of refusals by prefix; the empty prefix is for everything else. */
    errorForms: Map<string, ErrorForm>;
  }
}

const problemForm: ErrorForm = { contentType: 'application/problem+json', toBody: (problem) => problem };

export const problems = fp(
  async (app: FastifyInstance) => {
    for (const schema of [Problem, ModelProblemCode, NotReady, ProtocolError]) app.addSchema(schema);
    app.decorate('errorForms', new Map<string, ErrorForm>());
    refuseAs(app);
  },
  { name: 'problems' },
);

/**
 * Sets the form of all refusals below the prefix of `app`: by its routes, for an unknown path, or for a wrong method.
 * @param form default: that of the path, because some routes take every path.
 */
export function refuseAs(app: FastifyInstance, form?: ErrorForm): void {
  if (form) app.errorForms.set(app.prefix, form);
  app.setErrorHandler((error, request, reply) => sendRefusal(error, request, reply, form));
  app.setNotFoundHandler((request, reply) => {
    const allowed = methodsAt(request);
    if (allowed.length === 0) throw nothingAt(request);
    const methods = allowed.join(', ');
    reply.header('allow', methods);
    throw new ProblemError(
      'method_not_allowed',
      `${cut(pathOf(request.url))} takes ${methods}, not ${request.method}`,
    );
  });
}

/** @param form default: the form of the request's prefix, because a request that the router refuses has reached no plugin. */
export function sendRefusal(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  form = formOf(request.server, request.url),
): FastifyReply {
  const problem = errorToProblem(error, request.id);
  request.server.metrics.rejected(problem.code);
  if (isInside(error)) request.log.error({ err: error }, problem.title);
  else request.log.debug({ err: error }, problem.title);
  reply.code(problem.status).headers(problemHeaders(problem.code, error));
  return reply.type(form.contentType).send(form.toBody(problem));
}

/** The response to a path that the service does not have. */
export function nothingAt(request: FastifyRequest): ProblemError {
  return new ProblemError('not_found', `There is nothing at ${cut(pathOf(request.url))}`);
}

/** Fastify answers 404 for a known path with a wrong method. Its router knows which methods the path has. */
function methodsAt(request: FastifyRequest): string[] {
  const { server } = request;
  const methods = server.supportedMethods.filter(
    (method) => server.findRoute({ method, url: pathOf(request.url) }) !== null,
  );
  // CORS answers OPTIONS on every path, even on unknown ones.
  return methods.some((method) => method !== 'OPTIONS') ? methods.sort() : [];
}

/** Returns the form of the longest prefix of the target's path. */
export function formOf(app: FastifyInstance, target: string): ErrorForm {
  const path = decodedPathOf(target);
  const found = [...app.errorForms].findLast(([prefix]) => path === prefix || path.startsWith(`${prefix}/`));
  return found?.[1] ?? problemForm;
}
