// the folder of the models, as long as the server listens → what has changed in it serves, and the log says what and why.
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { watchFolder } from '../../inference/models/watching.js';
import type { Config } from '../config.js';
import { logModel } from './inference.js';

/** Every `reloadMs`; 0: never. */
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
      const { changed, removed } = await app.pipeline.reload();
      for (const model of changed) logModel(app.log, model);
      for (const { name, version } of removed)
        app.log.info({ model: name, version }, 'the version is gone and is served no more');
      lastError = '';
    }

    /** Once, as it comes back with every look. */
    function onError(error: Error): void {
      if (error.message === lastError) return;
      lastError = error.message;
      app.log.error({ err: error }, 'the folder of the models cannot be read: what was loaded serves on');
    }
  },
  { name: 'reloading', dependencies: ['inference'] },
);
