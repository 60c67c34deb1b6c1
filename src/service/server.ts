// config → a server that listens; signals → it drains, and the process ends.
import type { FastifyInstance } from 'fastify';
import { createPipeline } from '../inference/pipeline.js';
import { createApp } from './app.js';
import type { Config } from './config.js';

export interface Server {
  app: FastifyInstance;
  /** Where it can be reached, e.g. http://localhost:8000. */
  url: string;
  /** Refuses new requests, answers those under way, ends the workers. */
  close(): Promise<void>;
}

/** Longer than the deadline of an image that was accepted, shorter than an orchestrator's patience. */
const drainTimeoutMs = 20_000;

/** Resolves when the models have been opened and the port is open. */
export async function startServer(config: Config): Promise<Server> {
  const { models, defaultModel, variant, workers, maxPixels, maxQueueImages, maxBatch } = config;
  const pipeline = await createPipeline({
    models,
    defaultModel,
    variant,
    workers,
    maxPixels,
    maxQueueImages,
    maxBatch,
  });
  const app = await createApp(config, pipeline);
  try {
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    await app.close();
    throw error;
  }
  return { app, url: reachableUrl(app, config.host), close: () => app.close() };
}

/** The first SIGTERM or SIGINT drains, the second ends the process at once. Resolves when the server is closed. */
export async function closeOnSignal(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(1));
  const late = setTimeout(() => process.exit(1), drainTimeoutMs);
  await server.close();
  clearTimeout(late);
}

function reachableUrl(app: FastifyInstance, host: string): string {
  const address = app.server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const anywhere = host === '0.0.0.0' || host === '::';
  const name = anywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}
