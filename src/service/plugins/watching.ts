// requests and their responses → metrics, GET /metrics, and a line in the log for each if the settings ask for it.
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { Type } from '#typebox';
import { describeUrl } from '../log-secrets.js';
import type { Metrics } from '../metrics.js';
import { problemResponses } from '../schemas/problem.js';

declare module 'fastify' {
  interface FastifyInstance {
    metrics: Metrics;
  }
}

export interface WatchingOptions {
  metrics: Metrics;
  logRequests: boolean;
}

export const watching = fp(
  async (app: FastifyInstance, { metrics, logRequests }: WatchingOptions) => {
    app.decorate('metrics', metrics);
    app.addHook('onResponse', async (request, reply) => {
      const { method, routeOptions } = request;
      const { statusCode, elapsedTime } = reply;
      // The route's pattern, not the path: clients must not be able to create labels.
      metrics.request(method, routeOptions.url ?? 'none', statusCode, elapsedTime / 1000);
      if (logRequests)
        request.log.info(
          {
            method,
            url: describeUrl(request.url),
            status: statusCode,
            ms: Math.round(elapsedTime * 10) / 10,
          },
          'request',
        );
    });
    app.get(
      '/metrics',
      {
        schema: {
          operationId: 'metrics',
          tags: ['health'],
          summary: 'Metrics for Prometheus',
          response: {
            200: { content: { 'text/plain': { schema: Type.String() } } },
            ...problemResponses('draining'),
          },
        },
      },
      async (_request, reply) => reply.type(metrics.contentType).send(await metrics.render(app.pipeline)),
    );
  },
  { name: 'watching', dependencies: ['inference'] },
);
