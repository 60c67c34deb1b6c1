// a pipeline → app.pipeline; its models are logged, and it closes with the app after the last response.
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import type { ModelStatus } from '../../inference/models/status.js';
import type { Pipeline } from '../../inference/pipeline.js';

declare module 'fastify' {
  interface FastifyInstance {
    /** Undefined until the models are open. */
    pipeline: Pipeline;
    /** Resolves when the models are open. @throws errors from opening them */
    modelsOpened: Promise<void>;
  }
}

export const inference = fp(
  async (app: FastifyInstance, options: { pipeline: Pipeline | Promise<Pipeline> }) => {
    let pipeline: Pipeline | undefined;
    app.decorate('pipeline', { getter: () => pipeline as Pipeline });
    app.decorate('modelsOpened', open());
    // A failure reaches whoever awaits the promise.
    app.modelsOpened.catch(() => {});
    app.addHook('onClose', async () => await pipeline?.close());

    async function open(): Promise<void> {
      pipeline = await options.pipeline;
      for (const model of pipeline.models()) logModel(app.log, model);
      for (const message of pipeline.passedOver()) app.log.warn(message);
    }
  },
  { name: 'inference' },
);

export function logModel(log: FastifyBaseLogger, model: ModelStatus): void {
  const { name, version, ready, code, problem, refused, variant, variantReason } = model;
  const named = { model: name, version };
  if (!ready) log.error({ ...named, code, problem }, 'the model is not ready');
  else if (refused !== undefined)
    log.error(
      { ...named, code, problem: refused },
      'the version has changed and was refused: its old state is still served',
    );
  else log.info({ ...named, variant, variantReason }, 'the model is ready');
}
