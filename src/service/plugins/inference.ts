// a pipeline → app.pipeline, its models told to the log, closed with the app once all requests are answered.
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
    for (const { name, version, ready, problem, variant, variantReason } of pipeline.models()) {
      if (ready) app.log.info({ model: name, version, variant, variantReason }, 'the model is ready');
      else app.log.error({ model: name, version, problem }, 'the model is not ready');
    }
    app.addHook('onClose', () => pipeline.close());
  },
  { name: 'inference' },
);
