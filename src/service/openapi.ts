// the routes' schemas → the text of openapi.yaml.
import { ModelNotFoundError } from '../inference/errors.js';
import type { Pipeline } from '../inference/pipeline.js';
import { createApp } from './app.js';
import { readConfig } from './config.js';

const nothing = () => Promise.reject(new Error('this pipeline does nothing'));

/** A pipeline without models. */
export const idlePipeline: Pipeline = {
  classify: nothing,
  infer: nothing,
  preview: nothing,
  choose() {
    throw new ModelNotFoundError('There are no models');
  },
  models: () => [],
  passedOver: () => [],
  impliedModel: () => undefined,
  reload: async () => ({ changed: [], removed: [] }),
  ready: () => false,
  stuck: () => 0,
  waiting: () => [],
  close: async () => {},
};

/** Returns the text that the service serves at /openapi.yaml. It needs no models. */
export async function renderOpenapi(): Promise<string> {
  const app = await createApp(readConfig({ QUATI_LOG_LEVEL: 'silent' }), idlePipeline);
  try {
    return (await app.inject('/openapi.yaml')).body;
  } finally {
    await app.close();
  }
}
