// config and a pipeline → the assembled HTTP service, which does not listen yet.
import { readFileSync } from 'node:fs';
import { maxHeaderSize, type Server } from 'node:http';
import Fastify, {
  type FastifyHttpOptions,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifySchemaValidationError,
  LogController,
} from 'fastify';
import type { Pipeline } from '../inference/pipeline.js';
import { BodyRoom } from './body-room.js';
import type { Config } from './config.js';
import { cut } from './cut.js';
import { ProblemError } from './errors.js';
import { serialiseError } from './log.js';
import { createKeyHider } from './log-secrets.js';
import { shareMemory } from './memory.js';
import { createMetrics, type Metrics } from './metrics.js';
import { access } from './plugins/access.js';
import { answerClientError, brokenRequests } from './plugins/broken-requests.js';
import { draining } from './plugins/draining.js';
import { inference } from './plugins/inference.js';
import { openapi } from './plugins/openapi.js';
import { problems, sendRefusal } from './plugins/problems.js';
import { reloading } from './plugins/reloading.js';
import { createRequestId, requestId } from './plugins/request-id.js';
import { versions } from './plugins/versions.js';
import { watching } from './plugins/watching.js';
import { openInference } from './protocols/open-inference/routes.js';
import { tensorflowServing } from './protocols/tensorflow-serving/routes.js';
import { pathOf, toOriginForm } from './request-target.js';
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
  log?: { write(line: string): unknown };
}

/**
 * Resolves when the models are open.
 * @param pipeline is closed with the app. The app builds routes and compiles schemas while the pipeline opens.
 * @throws errors from opening the pipeline
 */
export async function createApp(
  config: Config,
  pipeline: Pipeline | Promise<Pipeline>,
  { metrics = createMetrics(), log = process.stdout }: AppOptions = {},
): Promise<FastifyInstance> {
  const app: FastifyInstance = Fastify({
    ...serverOptions(config, log),
    clientErrorHandler: (error, socket) => answerClientError(app, error, socket),
  });
  await app.register(requestId);
  await app.register(problems);
  await app.register(draining, config);
  await app.register(access, config);
  await app.register(brokenRequests);
  await app.register(versions);
  await app.register(inference, { pipeline });
  await app.register(reloading, config);
  await app.register(openapi, { version });
  await app.register(watching, { metrics, logRequests: logsRequests(config) });
  await app.register(healthRoutes);
  await app.register(modelRoutes);
  const room = new BodyRoom(shareMemory(config).maxQueueBytes);
  await app.register(predictRoutes, { ...config, room });
  await app.register(playgroundRoutes);
  await app.register(openInference, { ...config, room, prefix: '/v2', serverVersion: version });
  await app.register(tensorflowServing, { ...config, room, prefix: '/v1' });
  await app.ready();
  await app.modelsOpened;
  app.server.maxConnections = config.maxConnections;
  return app;
}

function serverOptions(config: Config, log: NonNullable<AppOptions['log']>): FastifyHttpOptions<Server> {
  return {
    logger: {
      level: config.logLevel,
      serializers: { err: serialiseError },
      stream: hidingKeys(log, config),
    },
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: createRequestId,
    schemaController,
    return503OnClosing: false,
    // This timeout also limits the hooks that run at closing.
    pluginTimeout: config.drainTimeoutMs + 10_000,
    trustProxy: config.trustProxy === 'no' ? false : (_address, hop) => hop < countProxies(config),
    // A slow upload must not hold a connection for ever. Node looks for late requests once per checking interval.
    requestTimeout: config.requestTimeoutMs,
    connectionTimeout: config.requestTimeoutMs + config.deadlineMs + 10_000,
    http: {
      requireHostHeader: false,
      headersTimeout: Math.min(config.headersTimeoutMs, config.requestTimeoutMs),
      connectionsCheckingInterval: Math.min(1000, config.requestTimeoutMs),
    },
    rewriteUrl: ({ url = '/' }) => toOriginForm(url),
    // The longest path of a request fits into its head. A name that no model has is then refused like any other.
    routerOptions: { maxParamLength: maxHeaderSize },
    frameworkErrors: (error, request, reply) => void refuseUnrouted(error, request, reply),
    schemaErrorFormatter: (errors, part) => new ProblemError('bad_request', describeErrors(errors, part)),
  };
}

/** Each proxy adds an address to X-Forwarded-For. Those before them are what the client says of itself. */
function countProxies({ trustProxy }: Config): number {
  return trustProxy === 'yes' ? 1 : Number(trustProxy);
}

/** No line of the log holds a key, wherever a client wrote one. */
function hidingKeys(log: NonNullable<AppOptions['log']>, { apiKeys = [] }: Config): typeof log {
  const hideKeys = createKeyHider(apiKeys);
  return { write: (line) => log.write(hideKeys(line)) };
}

function logsRequests({ logRequests }: Config): boolean {
  return logRequests === 'always' || (logRequests === 'auto' && process.stdout.isTTY === true);
}

/** Answers a path that the router cannot read. No hook runs for it. */
async function refuseUnrouted(error: Error, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  reply.header('x-request-id', request.id);
  try {
    await request.server.admit(request, reply);
    sendRefusal(unreadablePath(request, error), request, reply);
  } catch (refusal) {
    sendRefusal(refusal, request, reply);
  }
}

function unreadablePath({ url }: FastifyRequest, cause: Error): ProblemError {
  const detail = `The target ${cut(pathOf(url))} is no path, or one of its escapes (%…) is no UTF-8`;
  return new ProblemError('bad_request', detail, { cause });
}

/** Returns the place of the value and what was expected, as in `query /top must be >= 1`. */
function describeErrors(errors: FastifySchemaValidationError[], part: string): string {
  const [first] = errors;
  const place = part === 'querystring' ? 'query' : part;
  // The validator's message for a property that is not in the schema.
  const expected = first?.message === 'schema is false' ? 'is not known' : first?.message;
  return `${place} ${cut(first?.instancePath ?? '')} ${expected ?? 'is not valid'}`.replace(/ +/g, ' ');
}
