// a pipeline → app.pipeline, its models told to the log, closed with the app once all requests are answered.
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import type { ModelStatus } from '../../inference/models.js';
import type { Pipeline } from '../../inference/pipeline.js';

declare module 'fastify' {
  interface FastifyInstance {
    pipeline: Pipeline;
  }
}

export const inference = fp(
  async (app: FastifyInstance, { pipeline }: { pipeline: Pipeline }) => {
    app.decorate('pipeline', pipeline);
    for (const model of pipeline.models()) logModel(app.log, model);
    app.addHook('onClose', () => pipeline.close());
  },
  { name: 'inference' },
);

export function logModel(log: FastifyBaseLogger, model: ModelStatus): void {
  const { name, version, ready, problem, refused, variant, variantReason } = model;
  const named = { model: name, version };
  if (!ready) log.error({ ...named, problem }, 'the model is not ready');
  else if (refused !== undefined)
    log.error(
      { ...named, problem: refused },
      'the version has changed and was refused: what it was serves on',
    );
  else log.info({ ...named, variant, variantReason }, 'the model is ready');
}
