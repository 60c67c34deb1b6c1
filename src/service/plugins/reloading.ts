// changes in the models folder while the server listens → a reload, and a line in the log for each change.
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { watchFolder } from '../../inference/models/watching.js';
import type { Config } from '../config.js';
import { logModel } from './inference.js';

/** The folder is polled every `reloadMs`; 0 disables it. */
export type ReloadingOptions = Pick<Config, 'models' | 'reloadMs'>;

export const reloading = fp(
  async (app: FastifyInstance, { models, reloadMs }: ReloadingOptions) => {
    if (reloadMs === 0) return;
    let end = () => {};
    let lastError = '';
    app.addHook('onListen', async () => {
      end = watchFolder(models, { everyMs: reloadMs, onChange: reload, onError });
    });
    app.addHook('preClose', async () => end());

    async function reload(): Promise<void> {
      const known = new Set(app.pipeline.passedOver());
      const { changed, removed } = await app.pipeline.reload();
      for (const message of app.pipeline.passedOver()) if (!known.has(message)) app.log.warn(message);
      for (const model of changed) logModel(app.log, model);
      for (const { name, version } of removed)
        app.log.info({ model: name, version }, 'the version was removed and is no longer served');
      lastError = '';
    }

    /** Logs an error once, although every poll finds it again. */
    function onError(error: Error): void {
      if (error.message === lastError) return;
      lastError = error.message;
      app.log.error({ err: error }, 'the models folder cannot be read: the loaded models are still served');
    }
  },
  { name: 'reloading', dependencies: ['inference'] },
);
