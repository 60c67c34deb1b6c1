// environment variables → the service's settings, checked and typed.
import { IsArray, IsInteger, type Static, type TSchema, type TStringOptions, Type } from '#typebox';
import { Value } from '#typebox/value';
import { QuatiError } from '../inference/errors.js';
import { VariantName } from '../inference/models/card.js';

/** A variable whose value isn't one that its setting takes. */
export class ConfigError extends QuatiError {}

/** The model of a request that names none, where QUATI_MODEL is not set and several models are served. */
export const fallbackModel = 'cifar10';

/** What a setting's schema says beside what its value may be. */
export interface SettingWords {
  /** The environment variable. */
  env: string;
  /** What it is for, as docs/configuration.md has it. */
  purpose: string;
  /** Completes "expected …". */
  description: string;
}

export const Config = Type.Object({
  host: Type.String({
    env: 'QUATI_HOST',
    purpose:
      'Where to listen. `localhost` is this machine alone, on IPv4 and IPv6; `0.0.0.0` is every network.',
    default: 'localhost',
    minLength: 1,
    description: 'a host name or address to listen on; localhost is IPv4 and IPv6, 0.0.0.0 every network',
  } satisfies SettingWords & TStringOptions),
  port: integer({
    env: 'QUATI_PORT',
    purpose: 'The port; 0 takes a free one.',
    default: 8000,
    minimum: 0,
    maximum: 65_535,
  }),
  models: Type.String({
    env: 'QUATI_MODELS',
    purpose:
      'The folder of `<name>/<version>/card.json`. One model’s folder (`<version>/card.json`) or one version’s (`card.json`) is that model.',
    default: 'models',
    minLength: 1,
    description: 'the folder of the models',
  } satisfies SettingWords & TStringOptions),
  defaultModel: Type.Optional(
    Type.String({
      env: 'QUATI_MODEL',
      purpose: 'The model of a request that names none, such as a bare `/predict`.',
      pattern: '^[a-z0-9][a-z0-9-]*$',
      description: 'the name of the model of a request that names none',
    } satisfies SettingWords & TStringOptions),
  ),
  variant: Type.Optional(
    Type.Enum([...VariantName.enum, 'auto'], {
      env: 'QUATI_VARIANT',
      purpose:
        'The variant to serve instead of each card’s default, if the model has it. `auto`: the fastest on this machine ([models.md](models.md)).',
      description: 'float32, float16, int8, binary or auto, served where a model has it',
    } satisfies SettingWords),
  ),
  reloadMs: integer({
    env: 'QUATI_RELOAD_MS',
    purpose:
      'How often the server looks for changes in the folder of the models ([models.md](models.md)); 0: never.',
    default: 2000,
    minimum: 0,
    maximum: 3_600_000,
  }),
  workers: Type.Optional(
    integer({
      env: 'QUATI_WORKERS',
      purpose: 'Inference threads.',
      minimum: 1,
      maximum: 1024,
      note: '; one per processor unless set',
    }),
  ),
  maxUploadBytes: integer({
    env: 'QUATI_MAX_UPLOAD_BYTES',
    purpose: 'The most bytes of an image.',
    default: 10 * 1024 * 1024,
    minimum: 1,
    maximum: 2 ** 30,
  }),
  maxBodyBytes: Type.Optional(
    integer({
      env: 'QUATI_MAX_BODY_BYTES',
      purpose:
        'The most bytes of a body under `/v1` and `/v2`, after decompression. Unless set, it is `QUATI_MAX_UPLOAD_BYTES` or the JSON of the model’s largest batch, whichever is larger ([http.md](http.md)).',
      minimum: 1,
      maximum: 2 ** 30,
      note: '; computed for each model unless set',
    }),
  ),
  maxPixels: integer({
    env: 'QUATI_MAX_PIXELS',
    purpose: 'The most pixels of an image: width times height.',
    default: 25_000_000,
    minimum: 1,
    maximum: 2 ** 30,
  }),
  maxDecodeBytes: Type.Optional(
    integer({
      env: 'QUATI_MAX_DECODE_BYTES',
      purpose:
        'The memory for all images that are decoded at once, as estimated from their headers. An image that needs more is refused; others wait ([SECURITY.md](../SECURITY.md)).',
      minimum: 1_000_000,
      maximum: 2 ** 40,
      note: '; from the memory limit of the container or unit, or half of the machine’s memory, unless set',
    }),
  ),
  maxQueueImages: integer({
    env: 'QUATI_MAX_QUEUE_IMAGES',
    purpose: 'How many images may wait for a worker; one more is answered with 429.',
    default: 256,
    minimum: 1,
    maximum: 1_000_000,
  }),
  maxQueueBytes: Type.Optional(
    integer({
      env: 'QUATI_MAX_QUEUE_BYTES',
      purpose:
        'How many bytes the images and bodies that arrive or wait may have together. One that exceeds it is answered with 429, unless it is alone or small.',
      minimum: 1,
      maximum: 2 ** 40,
      note: '; 128 MiB unless set, or a sixteenth of the memory limit of the container or unit if that is less',
    }),
  ),
  maxBatch: integer({
    env: 'QUATI_MAX_BATCH',
    purpose:
      'The most images that one worker takes at once, and the most images of a request under `/v1` and `/v2`.',
    default: 16,
    minimum: 1,
    maximum: 1024,
  }),
  maxBatchMs: integer({
    env: 'QUATI_MAX_BATCH_MS',
    purpose:
      'How long a batch should take at most, estimated from what the model’s images have taken so far.',
    default: 100,
    minimum: 1,
    maximum: 60_000,
  }),
  maxConnections: integer({
    env: 'QUATI_MAX_CONNECTIONS',
    purpose:
      'How many connections may be open; more are closed at once. Fewer are accepted if `ulimit -n` leaves no room for a reload.',
    default: 1024,
    minimum: 1,
    maximum: 1_000_000,
  }),
  deadlineMs: integer({
    env: 'QUATI_DEADLINE_MS',
    purpose: 'How long an image may wait for a worker and be decoded.',
    default: 10_000,
    minimum: 1,
    maximum: 3_600_000,
  }),
  headersTimeoutMs: integer({
    env: 'QUATI_HEADERS_TIMEOUT_MS',
    purpose: 'How long the head of a request may take to arrive.',
    default: 10_000,
    minimum: 1,
    maximum: 3_600_000,
  }),
  requestTimeoutMs: integer({
    env: 'QUATI_REQUEST_TIMEOUT_MS',
    purpose: 'How long a request may take to arrive.',
    default: 30_000,
    minimum: 1,
    maximum: 3_600_000,
  }),
  drainTimeoutMs: integer({
    env: 'QUATI_DRAIN_TIMEOUT_MS',
    purpose: 'How long requests that are under way may take when the server ends.',
    default: 20_000,
    minimum: 1,
    maximum: 3_600_000,
  }),
  apiKeys: list('^[\\x21-\\x2b\\x2d-\\x7e]{16,}$', {
    env: 'QUATI_API_KEYS',
    purpose:
      'A request then needs one of these keys, as `Authorization: Bearer …` or `x-api-key`. The page, health, `/docs` and the OpenAPI files need none ([SECURITY.md](../SECURITY.md)).',
    description: 'keys of at least 16 printable characters, separated by commas',
  }),
  rateLimit: Type.Optional(
    integer({
      env: 'QUATI_RATE_LIMIT',
      purpose:
        'The most requests of one key, or of one address if the request has none of `QUATI_API_KEYS`. A wrong key counts for its address, and an IPv6 network of 64 bits is one address.',
      minimum: 1,
      maximum: 1_000_000,
      note: '; requests per minute',
    }),
  ),
  corsOrigins: list('^(\\*|https?://[^/,\\s]+)$', {
    env: 'QUATI_CORS_ORIGINS',
    purpose: 'The origins whose pages may send requests.',
    description: 'origins such as https://example.org, separated by commas, or *',
  }),
  trustProxy: Type.String({
    env: 'QUATI_TRUST_PROXY',
    purpose:
      '`yes` if only a proxy reaches the server. The last address of `X-Forwarded-For`, which the proxy adds, is then the client. A number: so many proxies stand in a row.',
    default: 'no',
    pattern: '^(yes|no|[1-9])$',
    description: 'yes, no, or the number of proxies from 1 to 9',
  } satisfies SettingWords & TStringOptions),
  logRequests: Type.Enum(['auto', 'always', 'never'], {
    env: 'QUATI_LOG_REQUESTS',
    purpose: 'Whether each request gets a line in the log.',
    default: 'auto',
    description: 'auto (on a terminal), always or never: a line in the log for each request',
  } satisfies SettingWords & { default: string }),
  logLevel: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    env: 'QUATI_LOG_LEVEL',
    purpose:
      'The server’s own failures are always logged, mistakes of clients from `debug` on. The log is JSON on standard output.',
    default: 'info',
    description: 'trace, debug, info, warn, error, fatal or silent',
  } satisfies SettingWords & { default: string }),
});
/** What the variables say, and what none of them changes. */
export type Config = Static<typeof Config> & { fallbackModel: string };

/** Their values are shown nowhere. */
const secrets: ReadonlySet<string> = new Set(['QUATI_API_KEYS']);

/** @returns every setting's schema by its name. */
export function listSettings(): [name: string, schema: SettingSchema][] {
  return Object.entries<TSchema>(Config.properties).flatMap(([name, schema]) =>
    isSetting(schema) ? [[name, schema]] : [],
  );
}

/** An empty variable counts as unset. @throws ConfigError naming variable, value, and what is expected. */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const settings: Record<string, unknown> = {};
  for (const [name, schema] of listSettings()) {
    const text = env[schema.env];
    const value = text === undefined || text === '' ? schema.default : toValue(text, schema);
    if (value === undefined) continue;
    if (!Value.Check(schema, value))
      throw new ConfigError(
        `${schema.env}=${secrets.has(schema.env) ? '…' : text}: expected ${schema.description}`,
      );
    settings[name] = value;
  }
  return { ...Value.Parse(Config, settings), fallbackModel };
}

type SettingSchema = TSchema & SettingWords & { default?: unknown };

function isSetting(schema: TSchema): schema is SettingSchema {
  return 'env' in schema;
}

function toValue(text: string, schema: SettingSchema): string | number | string[] {
  if (IsArray(schema)) return text.split(',').map((part) => part.trim());
  return IsInteger(schema) && /^\d+$/.test(text) ? Number(text) : text;
}

function list(pattern: string, words: SettingWords) {
  return Type.Optional(Type.Array(Type.String({ pattern }), { ...words, minItems: 1, uniqueItems: true }));
}

interface IntegerSetting extends Omit<SettingWords, 'description'> {
  minimum: number;
  maximum: number;
  default?: number;
  /** Ends the description. */
  note?: string;
}

function integer({ note = '', ...options }: IntegerSetting) {
  const { minimum, maximum } = options;
  return Type.Integer({ ...options, description: `an integer from ${minimum} to ${maximum}${note}` });
}
