// who may send requests, how often, and from which pages: API keys, a rate limit, CORS, and security headers.
import { createHash, timingSafeEqual } from 'node:crypto';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { clientAddress } from '../client-address.js';
import { ProblemError } from '../errors.js';

export interface AccessOptions {
  /** If empty, everybody may send requests. */
  apiKeys?: readonly string[] | undefined;
  /** Requests per minute for each key of `apiKeys`, or for each address without such a key; undefined: no limit. */
  rateLimit?: number | undefined;
  /** If empty, no page of another origin may send requests; * allows every page. */
  corsOrigins?: readonly string[] | undefined;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route needs no API key: orchestrators and people without a key need it. */
    open?: boolean;
    /** The route counts for no rate limit: orchestrators ask it often, and the page loads many small files. */
    uncounted?: boolean;
  }
  interface FastifyInstance {
    /** Counts a request, then checks its key. Each request is admitted once. @throws ProblemError rate_limited, unauthorised */
    admit(request: FastifyRequest, reply: FastifyReply): Promise<void>;
  }
  interface FastifyRequest {
    /** Who the rate limit counts: a key of `apiKeys`, else an address. */
    client: string;
  }
}

export const access = fp(
  async (app: FastifyInstance, { apiKeys = [], rateLimit: most, corsOrigins = [] }: AccessOptions) => {
    // Helmet would build the policy again for each request.
    app.addHook('onRequest', async (_request, reply) => {
      reply.header('content-security-policy', contentSecurityPolicy);
    });
    await app.register(helmet, {
      contentSecurityPolicy: false,
      // The service itself uses HTTP. A proxy that adds TLS also sets this header.
      strictTransportSecurity: false,
      ...(corsOrigins.length > 0 && { crossOriginResourcePolicy: { policy: 'cross-origin' } }),
      crossOriginOpenerPolicy: false,
      originAgentCluster: false,
    });
    const count = most === undefined ? undefined : await createCount(app, most);
    const isKnown = createKeyCheck(apiKeys);
    app.decorateRequest('client', '');
    app.decorate('admit', async (request, reply) => {
      const key = presentedKey(request);
      const known = key !== undefined && isKnown(key);
      // A key that is not known is a guess. It counts for its address, so that made-up keys are no new clients.
      request.client = known ? `key ${sha256(key).toString('hex')}` : `address ${clientAddress(request)}`;
      if (count && request.routeOptions.config.uncounted !== true) await count(request, reply);
      if (apiKeys.length === 0 || known || isOpen(request)) return;
      const detail =
        key === undefined
          ? 'An API key is needed, as "Authorization: Bearer …" or "x-api-key"'
          : 'The API key is not known';
      throw new ProblemError('unauthorised', detail);
    });
    if (corsOrigins.length > 0) await answerPreflights(app, corsOrigins);
    app.addHook('onRequest', app.admit);
  },
  { name: 'access', dependencies: ['problems', 'request-id', 'draining'] },
);

/** Sets the headers of CORS also on refusals, so that a page can read them. A preflight needs no key and is not counted. */
async function answerPreflights(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  // The plugin answers any other OPTIONS with plain text.
  app.addHook('onRequest', async (request, reply) => {
    const { origin, 'access-control-request-method': asked } = request.headers;
    if (request.method !== 'OPTIONS' || (origin && asked)) return;
    await app.admit(request, reply);
    const detail = 'OPTIONS is for CORS: it needs the headers Origin and Access-Control-Request-Method';
    throw new ProblemError('bad_request', detail);
  });
  await app.register(cors, {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST'],
    exposedHeaders: ['x-request-id', 'retry-after', 'inference-header-content-length'],
    maxAge: 600,
  });
}

/** Returns a function that counts a request of `request.client`. @throws ProblemError rate_limited */
async function createCount(app: FastifyInstance, most: number) {
  await app.register(rateLimit, { global: false });
  const countOne = app.createRateLimit({
    max: most,
    timeWindow: 60_000,
    keyGenerator: ({ client }: FastifyRequest) => client,
  });
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const counted = await countOne(request);
    if (counted.isAllowed) return;
    const { remaining, ttlInSeconds, isExceeded } = counted;
    reply.headers({
      'x-ratelimit-limit': most,
      'x-ratelimit-remaining': remaining,
      'x-ratelimit-reset': ttlInSeconds,
    });
    if (!isExceeded) return;
    reply.header('retry-after', ttlInSeconds);
    throw new ProblemError('rate_limited', `More than ${most} requests in a minute: wait for Retry-After`);
  };
}

const contentSecurityPolicy = [
  "default-src 'self'",
  "img-src 'self' data: blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** Compares with every key, each in constant time, so that the duration reveals nothing about the keys. */
function createKeyCheck(apiKeys: readonly string[]) {
  const digests = apiKeys.map(sha256);
  return (key: string): boolean => {
    const digest = sha256(key);
    return digests.filter((candidate) => timingSafeEqual(candidate, digest)).length > 0;
  };
}

/** A path without a route is not open, so that nobody without a key learns which paths exist. */
function isOpen({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.config.open === true;
}

function presentedKey({ headers }: FastifyRequest): string | undefined {
  const given = headers['x-api-key'];
  if (typeof given === 'string') return given;
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
