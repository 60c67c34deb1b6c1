// config → a server that listens; signals → it drains, and the process ends.
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { QuatiError } from '../inference/errors.js';
import { createPipeline } from '../inference/pipeline.js';
import type { Config } from './config.js';
import { createLogStream } from './log.js';
import { shareMemory } from './memory.js';
import { createMetrics } from './metrics.js';
import { allowUnlistedInterfaces } from './network-interfaces.js';
import { connectionsWithin, readOpenFiles } from './open-files.js';
import { collectInQuiet } from './quiet-collection.js';

export interface Server {
  app: FastifyInstance;
  /** Its address, for example http://localhost:8000. */
  url: string;
  /** Answers requests in progress and those on open connections, then ends the workers. After drainTimeoutMs it closes the remaining connections. */
  close(): Promise<void>;
}

/** The server cannot listen on the address or the port; the message contains the reason and the remedy. */
class ListenError extends QuatiError {}

/** Resolves when the models and the port are open. @throws ListenError, and errors from opening the models. */
export async function startServer(config: Config): Promise<Server> {
  const metrics = createMetrics();
  const shares = shareMemory(config);
  const pipeline = createPipeline({ ...config, ...shares, observer: metrics.observer });
  // It is awaited below; until then a failure is not unhandled.
  pipeline.catch(() => {});
  const log = createLogStream();
  // The HTTP side is loaded and built while the workers open the models.
  const { createApp } = await import('./app.js');
  const app = await createApp({ ...config, ...shares }, pipeline, { metrics, log });
  allowUnlistedInterfaces();
  try {
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    await app.close();
    throw toListenError(error, config);
  }
  collectInQuiet(app.server);
  await limitConnections(app, config);
  const close = async () => {
    await closeInTime(app, config);
    await log.flush(logFlushMs);
  };
  return { app, url: reachableUrl(app, config.host), close };
}

/** A connection is an open file. Where few may be open, fewer connections are accepted than configured. */
async function limitConnections({ server, log }: FastifyInstance, { maxConnections }: Config): Promise<void> {
  const files = await readOpenFiles();
  if (!files) return;
  const most = connectionsWithin(files);
  if (most >= maxConnections) return;
  server.maxConnections = most;
  log.warn(
    `At most ${most} connections are accepted instead of ${maxConnections} (QUATI_MAX_CONNECTIONS): only ${files.limit} files may be open (ulimit -n)`,
  );
}

const logFlushMs = 500;

const listenProblems: Record<string, (config: Config) => string> = {
  EADDRINUSE: ({ host, port }) =>
    `port ${port} of ${host} is taken by another process: end that one, or set QUATI_PORT (0 takes a free port)`,
  EADDRNOTAVAIL: ({ host }) =>
    `this machine has no address ${host}: set QUATI_HOST to one of its own, to localhost, or to 0.0.0.0 for all`,
  ENOTFOUND: ({ host }) =>
    `the host name ${host} is not known: set QUATI_HOST to a name or address of this machine`,
  EACCES: ({ port }) => `this user may not listen on port ${port}: set QUATI_PORT to 1024 or above`,
};

function toListenError(error: unknown, config: Config): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  const describe = listenProblems[code === 'EAI_AGAIN' ? 'ENOTFOUND' : code];
  return describe
    ? new ListenError(`The server cannot listen: ${describe(config)}`, { cause: error })
    : error;
}

async function closeInTime(app: FastifyInstance, { drainTimeoutMs }: Config): Promise<void> {
  const late = setTimeout(() => {
    app.log.error(`Draining took longer than ${drainTimeoutMs} ms: the remaining connections are closed`);
    app.server.closeAllConnections();
  }, drainTimeoutMs);
  // Accepts the connections that the system still holds: closing would reset them.
  await nextTurn();
  await app.close();
  clearTimeout(late);
}

const signals = ['SIGTERM', 'SIGINT'] as const;

const [stuckGraceMs, stuckLookMs] = [30_000, 1000];

/** The time that the workers have to end after the connections were cut. */
const endGraceMs = 5000;

/**
 * Starts a server and ends it on a signal. Before the server is ready, SIGTERM or SIGINT ends the process at once. Later the first one
 * drains, and the second one ends the process at once. `drainTimeoutMs` and five seconds after the first, the process ends in any case.
 * @param onReady is called when the server listens.
 * Resolves when the server is closed. @throws as startServer
 */
export async function runServer(config: Config, onReady: (server: Server) => void): Promise<void> {
  const early = (signal: NodeJS.Signals) => endProcess(signal);
  for (const signal of signals) process.once(signal, early);
  const server = await startServer(config);
  for (const signal of signals) process.removeListener(signal, early);
  const asked = nextSignal();
  onReady(server);
  const stuck = await Promise.race([asked, untilStuck(server.app)]);
  if (stuck) process.exitCode = 1;
  for (const signal of signals) process.once(signal, endProcess);
  setTimeout(() => {
    process.stderr.write('Requests or workers did not finish in time: the process ends now\n', () =>
      endProcess('SIGKILL'),
    );
  }, config.drainTimeoutMs + endGraceMs).unref();
  await server.close();
}

async function nextSignal(): Promise<false> {
  return await new Promise((resolve) => {
    for (const signal of signals) process.once(signal, () => resolve(false));
  });
}

/**
 * Resolves when a worker has not stopped half a minute after it was replaced. Only a new process frees its thread and its memory, so
 * this one drains and exits with code 1, and its supervisor restarts it.
 */
async function untilStuck(app: FastifyInstance): Promise<true> {
  for (let since = Infinity; ; await sleep(stuckLookMs, undefined, { ref: false })) {
    if (app.pipeline.stuck() === 0) since = Infinity;
    else since = Math.min(since, performance.now());
    if (performance.now() - since < stuckGraceMs) continue;
    app.log.fatal('an inference worker does not end: the server drains and exits, to be restarted');
    return true;
  }
}

/**
 * Ends the process by the signal and does not wait for threads: process.exit would wait, and a thread that decodes or opens a model
 * cannot be interrupted. The kernel does not deliver such signals to process 1 of a container, so that process aborts.
 */
function endProcess(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  process.abort();
}

function reachableUrl(app: FastifyInstance, host: string): string {
  const address = app.server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const anywhere = host === '0.0.0.0' || host === '::';
  const name = anywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}
