// who may ask, how often, and from which pages: API keys, a rate limit, CORS, and the headers that protect pages.
import { createHash, timingSafeEqual } from 'node:crypto';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { ProblemError } from '../errors.js';

export interface AccessOptions {
  /** None: everybody may ask. */
  apiKeys?: readonly string[] | undefined;
  /** Requests a minute, of one key or else one address; undefined: no limit. */
  rateLimit?: number | undefined;
  /** None: no page of another origin may ask; * is every page. */
  corsOrigins?: readonly string[] | undefined;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route needs no API key and counts for no rate limit: orchestrators and people without a key need it. */
    open?: boolean;
  }
}

export const access = fp(
  async (app: FastifyInstance, { apiKeys = [], rateLimit: most, corsOrigins = [] }: AccessOptions) => {
    // Helmet would build the policy anew for each request.
    app.addHook('onRequest', async (_request, reply) => {
      reply.header('content-security-policy', contentSecurityPolicy);
    });
    await app.register(helmet, {
      contentSecurityPolicy: false,
      // The service itself speaks HTTP: whether there is TLS before it is the proxy's to tell.
      strictTransportSecurity: false,
      ...(corsOrigins.length > 0 && { crossOriginResourcePolicy: { policy: 'cross-origin' } }),
      crossOriginOpenerPolicy: false,
      originAgentCluster: false,
    });
    if (corsOrigins.length > 0)
      await app.register(cors, {
        origin: corsOrigins.includes('*') ? '*' : [...corsOrigins],
        methods: ['GET', 'HEAD', 'POST'],
        exposedHeaders: ['x-request-id', 'retry-after', 'inference-header-content-length'],
        maxAge: 600,
      });
    if (apiKeys.length > 0) app.addHook('onRequest', keyCheck(apiKeys));
    if (most !== undefined)
      await app.register(rateLimit, {
        max: most,
        timeWindow: 60_000,
        allowList: isOpen,
        keyGenerator: (request: FastifyRequest) => presentedKey(request) ?? request.ip,
        errorResponseBuilder: () =>
          new ProblemError('rate_limited', `More than ${most} requests in a minute: wait for Retry-After`),
      });
  },
  { name: 'access', dependencies: ['problems', 'request-id', 'draining'] },
);

const contentSecurityPolicy = [
  "default-src 'self'",
  "img-src 'self' data: blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

function keyCheck(apiKeys: readonly string[]) {
  const digests = apiKeys.map(sha256);
  return async (request: FastifyRequest) => {
    if (isOpen(request) || request.method === 'OPTIONS') return;
    const key = presentedKey(request);
    if (key === undefined)
      throw new ProblemError(
        'unauthorised',
        'An API key is needed, as "Authorization: Bearer …" or "x-api-key"',
      );
    const digest = sha256(key);
    // All are compared, each in constant time: how long it takes tells nothing of the keys.
    const known = digests.filter((candidate) => timingSafeEqual(candidate, digest)).length > 0;
    if (!known) throw new ProblemError('unauthorised', 'The API key is not known');
  };
}

/** What has no route is not open: what paths there are is told to nobody else. */
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
