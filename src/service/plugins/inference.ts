// a pipeline → app.pipeline, closed with the app once all requests are answered.
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import type { Pipeline } from '../../inference/pipeline.js';

declare module 'fastify' {
  interface FastifyInstance {
    pipeline: Pipeline;
  }
}

export const inference = fp(
  async (app: FastifyInstance, { pipeline }: { pipeline: Pipeline }) => {
    app.decorate('pipeline', pipeline);
    app.addHook('onClose', () => pipeline.close());
  },
  { name: 'inference' },
);
