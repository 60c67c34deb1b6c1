// the settings' schema → docs/configuration.md.
import type { TSchema } from '#typebox';
import { Config } from './config.js';

/** What each variable is for; what it may be is the schema's to say. */
const purposes: Record<string, string> = {
  QUATI_HOST: 'Address to listen on. `localhost` is this machine alone; `0.0.0.0` is every network.',
  QUATI_PORT: 'Port to listen on; 0 takes a free one.',
  QUATI_MODELS:
    'Folder with `<name>/<version>/card.json`. The folder of one model (`<version>/card.json`) or of one version (`card.json`) serves that model alone.',
  QUATI_MODEL: 'Model of a request to `/predict` that names none.',
  QUATI_VARIANT:
    'Variant to serve instead of the default in each card, if a model has it. `auto` is the fastest on this machine ([models.md](models.md)).',
  QUATI_RELOAD_MS:
    'How often the server polls the models folder for changes ([models.md](models.md)); 0 is never.',
  QUATI_WORKERS: 'Number of inference threads.',
  QUATI_MAX_UPLOAD_BYTES: 'Maximum size of an image, or of a body under `/v1` and `/v2`.',
  QUATI_MAX_PIXELS: 'Maximum width times height of an image.',
  QUATI_MAX_QUEUE_IMAGES: 'Maximum number of images that wait for a worker; the next one gets 429.',
  QUATI_MAX_QUEUE_BYTES:
    'Maximum total size of the waiting images; an image above it gets 429, unless no other image waits.',
  QUATI_MAX_BATCH: 'Maximum number of images per batch, and per request under `/v1` and `/v2`.',
  QUATI_MAX_BATCH_MS: 'Target for the longest duration of a batch, from the recent rate of the model.',
  QUATI_MAX_CONNECTIONS: 'Maximum number of open connections; the server closes further ones at once.',
  QUATI_DEADLINE_MS: 'How long an image may wait for a worker and be decoded.',
  QUATI_HEADERS_TIMEOUT_MS: 'How long the headers of a request may take to arrive.',
  QUATI_REQUEST_TIMEOUT_MS: 'How long a whole request may take to arrive.',
  QUATI_DRAIN_TIMEOUT_MS: 'How long requests in progress may take at shutdown.',
  QUATI_API_KEYS:
    'API keys. A request then needs one, as `Authorization: Bearer …` or `x-api-key`, except on the [open paths](../SECURITY.md#open-paths).',
  QUATI_RATE_LIMIT: 'Maximum rate per API key, or per address for requests without a key.',
  QUATI_CORS_ORIGINS: 'Origins whose pages may send requests.',
  QUATI_TRUST_PROXY:
    '`yes` takes the address of the client from `X-Forwarded-For`. Set it only if every request passes a proxy.',
  QUATI_LOG_REQUESTS: 'Whether the log has a line for each request.',
  QUATI_LOG_LEVEL:
    'Lowest level in the log, which is JSON on standard output. Faults of the server are errors; mistakes of a client are logged from `debug` on.',
};

interface Setting {
  env: string;
  description: string;
  default?: unknown;
}

/** @throws Error naming a variable that has no purpose here. */
export function renderConfiguration(): string {
  const rows = Object.values<TSchema>(Config.properties).map((schema) => {
    const { env, description, default: fallback } = schema as unknown as Setting;
    const purpose = purposes[env];
    if (purpose === undefined) throw new Error(`${env}: configuration.ts does not say what it is for`);
    const shown = fallback === undefined ? '' : `\`${fallback}\``;
    return `| \`${env}\` | ${shown} | ${purpose} | ${description} |`;
  });
  return `${head}${rows.join('\n')}\n${tail}`;
}

const head = `# Configuration

\`quati serve\`, the container image and the systemd unit read their settings from environment variables, once at startup. An empty variable
counts as unset. An invalid value stops the startup with exit code 2, and the message says what was expected. The values of
\`QUATI_API_KEYS\` are never shown.

\`npm run configuration\` generates this page from the schema that the server checks the settings with.

| variable | default | what | takes |
| --- | --- | --- | --- |
`;

const tail = `
Other variables:

- \`XDG_CACHE_HOME\`, or else \`~/.cache\`: \`QUATI_VARIANT=auto\` keeps its measurements there.
- \`QUATI_CACHE\`: training keeps decoded images there ([training.md](training.md)).
- \`NO_COLOR\` and \`FORCE_COLOR\`: \`quati predict\` follows them.

The container image sets \`QUATI_HOST=0.0.0.0\`, \`QUATI_MODELS=/models\` and \`XDG_CACHE_HOME=/cache\`.

Two examples:

\`\`\`sh dry
QUATI_PORT=9000 QUATI_VARIANT=float32 npx quati serve
QUATI_HOST=0.0.0.0 QUATI_API_KEYS=0123456789abcdef,fedcba9876543210 QUATI_RATE_LIMIT=600 npx quati serve
\`\`\`
`;
