// GET → whether the process is alive, and whether its models are ready.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '#typebox';
import { DrainingError } from '../../inference/errors.js';
import { modelProblems } from '../../inference/model-problems.js';
import { ProblemError } from '../errors.js';
import { Live, Ready } from '../schemas/health.js';
import { problemResponses } from '../schemas/problem.js';

const { 503: unavailable } = problemResponses('not_ready', 'draining');
const notReadyResponse = {
  ...unavailable,
  content: { 'application/problem+json': { schema: Type.Ref('NotReady') } },
};

export const healthRoutes: FastifyPluginAsyncTypebox = async (app) => {
  for (const schema of [Live, Ready]) app.addSchema(schema);

  app.get(
    '/health/live',
    {
      config: { open: true, uncounted: true },
      schema: {
        operationId: 'live',
        tags: ['health'],
        summary: 'Whether the process responds',
        response: { 200: Type.Ref('Live'), ...problemResponses('draining') },
      },
    },
    async () => ({ status: 'live' as const }),
  );

  app.get(
    '/health/ready',
    {
      config: { open: true, uncounted: true },
      schema: {
        operationId: 'ready',
        tags: ['health'],
        summary: 'Whether every model has a version that is loaded, warm and has passed its golden samples',
        response: {
          200: Type.Ref('Ready'),
          ...problemResponses('not_ready', 'draining'),
          503: notReadyResponse,
        },
      },
    },
    async () => {
      if (app.isDraining()) throw new DrainingError('The server is shutting down');
      if (app.pipeline.stuck() > 0)
        throw new ProblemError(
          'not_ready',
          'An inference worker does not stop: the server is about to restart',
        );
      const served = app.pipeline.models().filter((model) => model.served);
      if (app.pipeline.ready())
        return { status: 'ready' as const, models: served.map(({ name, version }) => ({ name, version })) };
      const failed = served.flatMap(({ name, version, code }) =>
        code === undefined ? [] : [{ name, version, problem: code }],
      );
      const detail = failed.map(
        ({ name, version, problem }) => `${name} version ${version}: ${problem}, ${modelProblems[problem]}`,
      );
      const text = detail.length > 0 ? detail.join('; ') : 'There are no models';
      throw new ProblemError('not_ready', text, { members: { models: failed } });
    },
  );
};
