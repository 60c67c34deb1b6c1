// config → a server that listens; signals → it drains, and the process ends.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { createPipeline } from '../inference/pipeline.js';
import type { Config } from './config.js';
import { createMetrics } from './metrics.js';
import { allowUnlistedInterfaces } from './network-interfaces.js';
import { collectInQuiet } from './quiet-collection.js';

export interface Server {
  app: FastifyInstance;
  /** Where it can be reached, e.g. http://localhost:8000. */
  url: string;
  /** Answers what is under way or comes on open connections, ends the workers; cuts what takes longer than drainTimeoutMs. */
  close(): Promise<void>;
}

/** Resolves when the models have been opened and the port is open. */
export async function startServer(config: Config): Promise<Server> {
  const metrics = createMetrics();
  const pipeline = createPipeline({ ...config, observer: metrics.observer });
  // Who awaits it below is told.
  pipeline.catch(() => {});
  // The HTTP side is loaded and built while the workers open the models.
  const { createApp } = await import('./app.js');
  const app = await createApp(config, pipeline, { metrics });
  allowUnlistedInterfaces();
  try {
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    await app.close();
    throw error;
  }
  collectInQuiet(app.server);
  return { app, url: reachableUrl(app, config.host), close: () => closeInTime(app, config) };
}

async function closeInTime(app: FastifyInstance, { drainTimeoutMs }: Config): Promise<void> {
  const late = setTimeout(() => {
    app.log.error(`Draining took longer than ${drainTimeoutMs} ms: what is still under way is cut`);
    app.server.closeAllConnections();
  }, drainTimeoutMs);
  // Connections that are about to be accepted are: closing resets what the system still holds.
  await nextTurn();
  await app.close();
  clearTimeout(late);
}

/** The first SIGTERM or SIGINT drains, the second ends the process at once. Resolves when the server is closed. */
export async function closeOnSignal(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(1));
  await server.close();
}

function reachableUrl(app: FastifyInstance, host: string): string {
  const address = app.server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const anywhere = host === '0.0.0.0' || host === '::';
  const name = anywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}
