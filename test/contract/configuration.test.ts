import { readFile } from 'node:fs/promises';
import t from 'tap';
import { Config, listSettings } from '../../src/service/config.js';
import { renderConfiguration } from '../../src/service/configuration.js';
import { projectUrl } from '../helpers/project.js';

t.test('docs/configuration.md is what npm run configuration writes', async (t) => {
  t.equal(await readFile(new URL('docs/configuration.md', projectUrl), 'utf8'), renderConfiguration());
});

t.test('every setting says what it is for and what it takes, beside its schema', async (t) => {
  t.equal(listSettings().length, Object.keys(Config.properties).length);
  for (const [name, { purpose, description }] of listSettings()) {
    t.match(purpose, /^[A-Z`].*\.$/, `${name} is for`);
    t.match(description, /^[^|]+[^.|]$/, `${name} takes`);
  }
});

t.test('it has a row for every setting, with its default and what it takes', async (t) => {
  const rows = renderConfiguration().match(/^\| `QUATI_.*$/gm) ?? [];
  t.equal(rows.length, Object.keys(Config.properties).length);
  t.match(rows, [
    /^\| `QUATI_HOST` \| `localhost` \| .+ \| a host name/,
    /^\| `QUATI_PORT` \| `8000` \| .+ 65535 \|$/,
  ]);
});
