// config and a pipeline → the assembled HTTP service, which does not listen yet.
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, {
  type FastifyHttpOptions,
  type FastifyInstance,
  type FastifySchemaValidationError,
  LogController,
} from 'fastify';
import type { Pipeline } from '../inference/pipeline.js';
import type { Config } from './config.js';
import { ProblemError } from './errors.js';
import { createMetrics, type Metrics } from './metrics.js';
import { access } from './plugins/access.js';
import { draining } from './plugins/draining.js';
import { inference } from './plugins/inference.js';
import { openapi } from './plugins/openapi.js';
import { problems, rawProblemResponse, sendRefusal } from './plugins/problems.js';
import { reloading } from './plugins/reloading.js';
import { createRequestId, requestId } from './plugins/request-id.js';
import { watching } from './plugins/watching.js';
import { openInference } from './protocols/open-inference/routes.js';
import { tensorflowServing } from './protocols/tensorflow-serving/routes.js';
import { healthRoutes } from './routes/health.js';
import { modelRoutes } from './routes/models.js';
import { playgroundRoutes } from './routes/playground.js';
import { predictRoutes } from './routes/predict.js';
import { schemaController } from './schema-compilers.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

export interface AppOptions {
  /** The metrics that observe the pipeline. */
  metrics?: Metrics;
  /** The destination of the log, one line of JSON per call; default standard output. */
  log?: { write(line: string): void };
}

/**
 * Resolves when the models are open.
 * @param pipeline is closed with the app. The app builds routes and compiles schemas while the pipeline opens.
 * @throws errors from opening the pipeline
 */
export async function createApp(
  config: Config,
  pipeline: Pipeline | Promise<Pipeline>,
  { metrics = createMetrics(), log }: AppOptions = {},
): Promise<FastifyInstance> {
  const app = Fastify(serverOptions(config, log));
  await app.register(requestId);
  await app.register(problems);
  await app.register(draining, config);
  await app.register(access, config);
  await app.register(inference, { pipeline });
  await app.register(reloading, config);
  await app.register(openapi, { version });
  await app.register(watching, { metrics, logRequests: logsRequests(config) });
  await app.register(healthRoutes);
  await app.register(modelRoutes);
  await app.register(predictRoutes, config);
  await app.register(playgroundRoutes);
  await app.register(openInference, { ...config, prefix: '/v2', serverVersion: version });
  await app.register(tensorflowServing, { ...config, prefix: '/v1' });
  await app.ready();
  await app.modelsOpened;
  app.server.maxConnections = config.maxConnections;
  return app;
}

function serverOptions(config: Config, log: AppOptions['log']): FastifyHttpOptions<Server> {
  return {
    logger: { level: config.logLevel, ...(log && { stream: log }) },
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: createRequestId,
    schemaController,
    return503OnClosing: false,
    // This timeout also limits the hooks that run at closing.
    pluginTimeout: config.drainTimeoutMs + 10_000,
    trustProxy: config.trustProxy === 'yes',
    // A slow upload must not hold a connection for ever. Node looks for late requests once per checking interval.
    requestTimeout: config.requestTimeoutMs,
    connectionTimeout: config.requestTimeoutMs + config.deadlineMs + 10_000,
    http: {
      headersTimeout: Math.min(config.headersTimeoutMs, config.requestTimeoutMs),
      connectionsCheckingInterval: Math.min(1000, config.requestTimeoutMs),
    },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => {
      void reply.header('x-request-id', request.id);
      void sendRefusal(error, request, reply);
    },
    schemaErrorFormatter: (errors, part) => new ProblemError('bad_request', describeErrors(errors, part)),
  };
}

function logsRequests({ logRequests }: Config): boolean {
  return logRequests === 'always' || (logRequests === 'auto' && process.stdout.isTTY === true);
}

/** Returns the place of the value and what was expected, as in `query /top must be >= 1`. */
function describeErrors(errors: FastifySchemaValidationError[], part: string): string {
  const [first] = errors;
  const place = part === 'querystring' ? 'query' : part;
  // The validator's message for a property that is not in the schema.
  const expected = first?.message === 'schema is false' ? 'is not known' : first?.message;
  return `${place} ${first?.instancePath ?? ''} ${expected ?? 'is not valid'}`.replace(/ +/g, ' ');
}

/** Answers requests that are not HTTP, or that a timeout cut off before they were complete. */
function answerClientError(error: Error & { code: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const id = crypto.randomUUID();
  const late = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const response = late
    ? rawProblemResponse('request_timeout', 'The request did not arrive in time', id)
    : rawProblemResponse('bad_request', 'The request is not valid HTTP', id);
  socket.end(response, () => socket.destroy());
}
