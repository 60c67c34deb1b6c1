// environment variables → the service's settings, checked and typed.
import { IsArray, IsInteger, type Static, type TSchema, type TStringOptions, Type } from '#typebox';
import { Value } from '#typebox/value';
import { QuatiError } from '../inference/errors.js';
import { VariantName } from '../inference/models/card.js';

/** A variable has a value that its setting does not allow. */
export class ConfigError extends QuatiError {}

/** The default model if QUATI_MODEL is not set and several models are served. */
export const fallbackModel = 'cifar10';

/** The parts of a setting's schema besides its allowed values. */
export interface SettingWords {
  /** The environment variable. */
  env: string;
  /** The purpose in docs/configuration.md. */
  purpose: string;
  /** Completes "expected …". */
  description: string;
}

export const Config = Type.Object({
  host: Type.String({
    env: 'QUATI_HOST',
    purpose:
      'The address to listen on. `localhost` accepts this machine only, on IPv4 and IPv6; `0.0.0.0` accepts every network.',
    default: 'localhost',
    minLength: 1,
    description: 'a host name or address to listen on, such as localhost or 0.0.0.0',
  } satisfies SettingWords & TStringOptions),
  port: integer({
    env: 'QUATI_PORT',
    purpose: 'The port; 0 selects a free one.',
    default: 8000,
    minimum: 0,
    maximum: 65_535,
  }),
  models: Type.String({
    env: 'QUATI_MODELS',
    purpose:
      'The folder of the models: `<name>/<version>/card.json`. The folder of one model (`<version>/card.json`) or of one version (`card.json`) serves only that model.',
    default: 'models',
    minLength: 1,
    description: 'the folder of the models',
  } satisfies SettingWords & TStringOptions),
  defaultModel: Type.Optional(
    Type.String({
      env: 'QUATI_MODEL',
      purpose: 'The default model: for requests that name no model, such as `/predict`.',
      pattern: '^[a-z0-9][a-z0-9-]*$',
      description: 'the name of a model: lower-case letters, digits and hyphens',
    } satisfies SettingWords & TStringOptions),
  ),
  variant: Type.Optional(
    Type.Enum([...VariantName.enum, 'auto'], {
      env: 'QUATI_VARIANT',
      purpose:
        'The variant to serve instead of the default in each card, if the model has it. `auto` selects the fastest on this machine ([models.md](models.md)).',
      description: 'float32, float16, int8, binary or auto',
    } satisfies SettingWords),
  ),
  reloadMs: integer({
    env: 'QUATI_RELOAD_MS',
    purpose:
      'The interval at which the server polls the models folder for changes ([models.md](models.md)); 0 disables it.',
    default: 2000,
    minimum: 0,
    maximum: 3_600_000,
  }),
  workers: Type.Optional(
    integer({
      env: 'QUATI_WORKERS',
      purpose: 'The number of inference workers (threads).',
      minimum: 1,
      maximum: 1024,
      note: '; one per processor unless set',
    }),
  ),
  maxUploadBytes: integer({
    env: 'QUATI_MAX_UPLOAD_BYTES',
    purpose: 'The largest upload of an image, in bytes.',
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
    purpose: 'The most pixels of an image (width times height).',
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
    purpose: 'The most images that may wait for a worker; a further one is 429.',
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
    purpose: 'The most images in a batch, and the most images in a request under `/v1` and `/v2`.',
    default: 16,
    minimum: 1,
    maximum: 1024,
  }),
  maxBatchMs: integer({
    env: 'QUATI_MAX_BATCH_MS',
    purpose: 'The longest time that a batch should take, estimated from the recent rate of the model.',
    default: 100,
    minimum: 1,
    maximum: 60_000,
  }),
  maxConnections: integer({
    env: 'QUATI_MAX_CONNECTIONS',
    purpose:
      'The most open connections; further ones are closed at once. The server accepts fewer if `ulimit -n` leaves too few files for a reload.',
    default: 1024,
    minimum: 1,
    maximum: 1_000_000,
  }),
  deadlineMs: integer({
    env: 'QUATI_DEADLINE_MS',
    purpose: 'The longest time from the end of an upload until its image runs.',
    default: 10_000,
    minimum: 1,
    maximum: 3_600_000,
  }),
  headersTimeoutMs: integer({
    env: 'QUATI_HEADERS_TIMEOUT_MS',
    purpose: 'The longest time for the headers of a request to arrive.',
    default: 10_000,
    minimum: 1,
    maximum: 3_600_000,
  }),
  requestTimeoutMs: integer({
    env: 'QUATI_REQUEST_TIMEOUT_MS',
    purpose: 'The longest time for a whole request to arrive.',
    default: 30_000,
    minimum: 1,
    maximum: 3_600_000,
  }),
  drainTimeoutMs: integer({
    env: 'QUATI_DRAIN_TIMEOUT_MS',
    purpose: 'The longest time for requests in progress when the server shuts down.',
    default: 20_000,
    minimum: 1,
    maximum: 3_600_000,
  }),
  apiKeys: list('^[\\x21-\\x2b\\x2d-\\x7e]{16,}$', {
    env: 'QUATI_API_KEYS',
    purpose:
      'If set, a request needs one of these keys, as `Authorization: Bearer …` or `x-api-key`. The page, health, `/docs` and the OpenAPI files need none ([SECURITY.md](../SECURITY.md)).',
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
      '`yes` if only a proxy reaches the server. The client is then the last address in `X-Forwarded-For`, which the proxy adds. If there are several proxies in a row, their number.',
    default: 'no',
    pattern: '^(yes|no|[1-9])$',
    description: 'yes, no, or the number of proxies from 1 to 9',
  } satisfies SettingWords & TStringOptions),
  logRequests: Type.Enum(['auto', 'always', 'never'], {
    env: 'QUATI_LOG_REQUESTS',
    purpose: 'Whether the log has a line for each request.',
    default: 'auto',
    description: 'auto (only on a terminal), always or never',
  } satisfies SettingWords & { default: string }),
  logLevel: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    env: 'QUATI_LOG_LEVEL',
    purpose:
      'The lowest level that is logged. Mistakes of clients have the level `debug`. The log is JSON on standard output.',
    default: 'info',
    description: 'trace, debug, info, warn, error, fatal or silent',
  } satisfies SettingWords & { default: string }),
});
/** The settings from the variables, and one constant. */
export type Config = Static<typeof Config> & { fallbackModel: string };

/** Variables whose values are never shown. */
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
