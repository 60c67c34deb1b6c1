// the routes' schemas → the text of openapi.yaml.
import type { Pipeline } from '../inference/pipeline.js';
import { createApp } from './app.js';
import { readConfig } from './config.js';

/** The contract as the service itself serves it at /openapi.yaml; needs no models. */
export async function renderOpenapi(): Promise<string> {
  const idle: Pipeline = {
    classify: () => Promise.reject(new Error('this pipeline classifies nothing')),
    models: () => [],
    ready: () => false,
    close: async () => {},
  };
  const app = await createApp(readConfig({ QUATI_LOG_LEVEL: 'silent' }), idle);
  try {
    return app.swagger({ yaml: true });
  } finally {
    await app.close();
  }
}
