// environment variables → the service's settings, checked and typed.
import { IsArray, IsInteger, type Static, type TSchema, Type } from '#typebox';
import { Value } from '#typebox/value';
import { QuatiError } from '../inference/errors.js';
import { VariantName } from '../inference/models/card.js';

/** A variable whose value isn't one that its setting takes. */
export class ConfigError extends QuatiError {}

/** Each setting names its variable; `description` completes "expected …". */
export const Config = Type.Object({
  host: Type.String({
    env: 'QUATI_HOST',
    default: 'localhost',
    minLength: 1,
    description: 'a host name or address to listen on; localhost is IPv4 and IPv6, 0.0.0.0 every network',
  }),
  port: integer('QUATI_PORT', 8000, 0, 65_535),
  models: Type.String({
    env: 'QUATI_MODELS',
    default: 'models',
    minLength: 1,
    description: 'the folder of the models',
  }),
  defaultModel: Type.Optional(
    Type.String({
      env: 'QUATI_MODEL',
      pattern: '^[a-z0-9][a-z0-9-]*$',
      description: 'the name of the model of a request that names none',
    }),
  ),
  variant: Type.Optional(
    Type.Enum([...VariantName.enum, 'auto'], {
      env: 'QUATI_VARIANT',
      description: 'float32, float16, int8, binary or auto, served where a model has it',
    }),
  ),
  reloadMs: integer('QUATI_RELOAD_MS', 2000, 0, 3_600_000),
  workers: Type.Optional(integer('QUATI_WORKERS', undefined, 1, 1024, '; one per processor unless set')),
  maxUploadBytes: integer('QUATI_MAX_UPLOAD_BYTES', 10 * 1024 * 1024, 1, 2 ** 30),
  maxPixels: integer('QUATI_MAX_PIXELS', 25_000_000, 1, 2 ** 30),
  maxQueueImages: integer('QUATI_MAX_QUEUE_IMAGES', 256, 1, 1_000_000),
  maxQueueBytes: integer('QUATI_MAX_QUEUE_BYTES', 128 * 1024 * 1024, 1, 2 ** 40),
  maxBatch: integer('QUATI_MAX_BATCH', 16, 1, 1024),
  maxBatchMs: integer('QUATI_MAX_BATCH_MS', 100, 1, 60_000),
  maxConnections: integer('QUATI_MAX_CONNECTIONS', 1024, 1, 1_000_000),
  deadlineMs: integer('QUATI_DEADLINE_MS', 10_000, 1, 3_600_000),
  headersTimeoutMs: integer('QUATI_HEADERS_TIMEOUT_MS', 10_000, 1, 3_600_000),
  requestTimeoutMs: integer('QUATI_REQUEST_TIMEOUT_MS', 30_000, 1, 3_600_000),
  drainTimeoutMs: integer('QUATI_DRAIN_TIMEOUT_MS', 20_000, 1, 3_600_000),
  apiKeys: list('QUATI_API_KEYS', '^[\\x21-\\x2b\\x2d-\\x7e]{16,}$', {
    description: 'keys of at least 16 printable characters, separated by commas',
  }),
  rateLimit: Type.Optional(integer('QUATI_RATE_LIMIT', undefined, 1, 1_000_000, '; requests per minute')),
  corsOrigins: list('QUATI_CORS_ORIGINS', '^(\\*|https?://[^/,\\s]+)$', {
    description: 'origins such as https://example.org, separated by commas, or *',
  }),
  trustProxy: Type.Enum(['yes', 'no'], {
    env: 'QUATI_TRUST_PROXY',
    default: 'no',
    description: 'yes or no: whether X-Forwarded-For says who asks',
  }),
  logRequests: Type.Enum(['auto', 'always', 'never'], {
    env: 'QUATI_LOG_REQUESTS',
    default: 'auto',
    description: 'auto (on a terminal), always or never: a line in the log for each request',
  }),
  logLevel: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    env: 'QUATI_LOG_LEVEL',
    default: 'info',
    description: 'trace, debug, info, warn, error, fatal or silent',
  }),
});
export type Config = Static<typeof Config>;

/** Their values are shown nowhere. */
const secrets: ReadonlySet<string> = new Set(['QUATI_API_KEYS']);

/** An empty variable counts as unset. @throws ConfigError naming variable, value, and what is expected. */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const settings: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries<TSchema>(Config.properties)) {
    if (!isSetting(schema)) continue;
    const text = env[schema.env];
    const value = text === undefined || text === '' ? schema.default : toValue(text, schema);
    if (value === undefined) continue;
    if (!Value.Check(schema, value))
      throw new ConfigError(
        `${schema.env}=${secrets.has(schema.env) ? '…' : text}: expected ${schema.description}`,
      );
    settings[name] = value;
  }
  return Value.Parse(Config, settings);
}

type SettingSchema = TSchema & { env: string; description: string; default?: unknown };

function isSetting(schema: TSchema): schema is SettingSchema {
  return 'env' in schema;
}

function toValue(text: string, schema: SettingSchema): string | number | string[] {
  if (IsArray(schema)) return text.split(',').map((part) => part.trim());
  return IsInteger(schema) && /^\d+$/.test(text) ? Number(text) : text;
}

function list(env: string, pattern: string, { description }: { description: string }) {
  return Type.Optional(
    Type.Array(Type.String({ pattern }), { env, minItems: 1, uniqueItems: true, description }),
  );
}

function integer(env: string, fallback: number | undefined, minimum: number, maximum: number, note = '') {
  return Type.Integer({
    env,
    minimum,
    maximum,
    description: `an integer from ${minimum} to ${maximum}${note}`,
    ...(fallback === undefined ? {} : { default: fallback }),
  });
}
