// who may send requests, how often, and from which pages: API keys, a rate limit, CORS, and security headers.
import { createHash, timingSafeEqual } from 'node:crypto';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { ProblemError } from '../errors.js';

export interface AccessOptions {
  /** If empty, everybody may send requests. */
  apiKeys?: readonly string[] | undefined;
  /** Requests per minute for each key, or for each address without a key; undefined: no limit. */
  rateLimit?: number | undefined;
  /** If empty, no page of another origin may send requests; * allows every page. */
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
    // Every key is compared, each in constant time, so that the duration reveals nothing about the keys.
    const known = digests.filter((candidate) => timingSafeEqual(candidate, digest)).length > 0;
    if (!known) throw new ProblemError('unauthorised', 'The API key is not known');
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
