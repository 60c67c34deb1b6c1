// the settings' schema → docs/configuration.md.
import type { TSchema } from '#typebox';
import { Config } from './config.js';

/** What each variable is for; what it may be is the schema's to say. */
const purposes: Record<string, string> = {
  QUATI_HOST:
    'Where to listen. `localhost` is this machine alone, on IPv4 and IPv6; `0.0.0.0` is every network.',
  QUATI_PORT: 'The port; 0 takes a free one.',
  QUATI_MODELS:
    'The folder of `<name>/<version>/card.json`. One model’s folder (`<version>/card.json`) or one version’s (`card.json`) is that model.',
  QUATI_MODEL: 'The model of a bare `/predict`.',
  QUATI_VARIANT:
    'Served instead of each card’s default, where a model has it. `auto`: the fastest on this machine ([models.md](models.md)).',
  QUATI_RELOAD_MS:
    'How often the folder of the models is looked at for changes ([models.md](models.md)); 0: never.',
  QUATI_WORKERS: 'Inference threads.',
  QUATI_MAX_UPLOAD_BYTES: 'Bytes of an image, or of a body under `/v1` and `/v2`.',
  QUATI_MAX_PIXELS: 'Width times height of an image.',
  QUATI_MAX_QUEUE_IMAGES: 'Images that wait for a worker; one more is answered with 429.',
  QUATI_MAX_QUEUE_BYTES:
    'Their bytes together; an image that would go over it is answered with 429, unless none waits.',
  QUATI_MAX_BATCH: 'Images that one worker takes at once, and that a request has under `/v1` and `/v2`.',
  QUATI_MAX_BATCH_MS: 'How long a batch should take at most, by what the model’s images have taken so far.',
  QUATI_MAX_CONNECTIONS: 'Open connections; more are closed at once.',
  QUATI_DEADLINE_MS: 'How long an image may wait for a worker and be decoded.',
  QUATI_HEADERS_TIMEOUT_MS: 'How long the head of a request may take to arrive.',
  QUATI_REQUEST_TIMEOUT_MS: 'How long a request may take to arrive.',
  QUATI_DRAIN_TIMEOUT_MS: 'How long what is under way may take when the server ends.',
  QUATI_API_KEYS:
    'A request then needs one of them, as `Authorization: Bearer …` or `x-api-key`, but for health, `/docs` and the OpenAPI files.',
  QUATI_RATE_LIMIT: 'Of one key, or else one address.',
  QUATI_CORS_ORIGINS: 'Whose pages may ask.',
  QUATI_TRUST_PROXY: '`yes` where only a proxy reaches the server: `X-Forwarded-For` then says who asks.',
  QUATI_LOG_REQUESTS: 'A line in the log for each request.',
  QUATI_LOG_LEVEL:
    'What fails by the server’s fault is logged always, a client’s mistakes from `debug` on. The log is JSON on standard output.',
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

\`quati serve\`, the image and the systemd unit take their settings from environment variables, read once at the start. An empty one
counts as unset. A value that isn’t valid ends the start with exit code 2 and says what was expected; values of \`QUATI_API_KEYS\` are
shown nowhere.

This page is made from the schema that the server checks them with (\`npm run configuration\`).

| variable | default | what | takes |
| --- | --- | --- | --- |
`;

const tail = `
Read elsewhere: \`XDG_CACHE_HOME\` (or \`~/.cache\`) is where \`QUATI_VARIANT=auto\` keeps what it measured; \`QUATI_CACHE\` is where
training keeps decoded images ([training.md](training.md)); \`NO_COLOR\` and \`FORCE_COLOR\` are followed by
\`quati predict\`. The image sets \`QUATI_HOST=0.0.0.0\`, \`QUATI_MODELS=/models\` and \`XDG_CACHE_HOME=/cache\`.

Two examples:

\`\`\`sh dry
QUATI_PORT=9000 QUATI_VARIANT=float32 npx quati serve
QUATI_HOST=0.0.0.0 QUATI_API_KEYS=0123456789abcdef,fedcba9876543210 QUATI_RATE_LIMIT=600 npx quati serve
\`\`\`
`;
