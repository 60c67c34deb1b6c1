// the settings' schema → docs/configuration.md.
import { listSettings } from './config.js';

/** @returns the whole file. The texts about each setting are next to its schema. */
export function renderConfiguration(): string {
  const rows = listSettings().map(([, { env, purpose, description, default: fallback }]) => {
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

| variable | default | purpose | takes |
| --- | --- | --- | --- |
`;

const tail = `
Other variables:

- \`XDG_CACHE_HOME\` (or \`~/.cache\`): the folder for the measurements of \`QUATI_VARIANT=auto\`.
- \`NODE_COMPILE_CACHE\`: the folder for Node's cache of compiled code, from Node 22 on.
- \`QUATI_CACHE\`: the folder in which training keeps decoded images ([training.md](training.md)).
- \`QUATI_API_KEY\`: the key that \`quati predict\` and \`quati bench\` send.
- \`NO_COLOR\` and \`FORCE_COLOR\`: the colours of \`quati predict\`.

The container image sets \`QUATI_HOST=0.0.0.0\`, \`QUATI_PORT=8000\`, \`QUATI_MODELS=/models\`, \`XDG_CACHE_HOME=/cache\` and
\`NODE_COMPILE_CACHE=/cache/compiled\`.

Two examples:

\`\`\`sh dry
QUATI_PORT=9000 QUATI_VARIANT=float32 npx quati serve
QUATI_HOST=0.0.0.0 QUATI_API_KEYS=0123456789abcdef,fedcba9876543210 QUATI_RATE_LIMIT=600 npx quati serve
\`\`\`
`;
