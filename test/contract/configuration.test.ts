import { readFile } from 'node:fs/promises';
import t from 'tap';
import { Config, listSettings } from '../../src/service/config.js';
import { renderConfiguration } from '../../src/service/configuration.js';
import { projectUrl } from '../helpers/project.js';

t.test('docs/configuration.md equals the output of npm run configuration', async (t) => {
  t.equal(await readFile(new URL('docs/configuration.md', projectUrl), 'utf8'), renderConfiguration());
});

t.test('every setting has a purpose and a description of its values', async (t) => {
  t.equal(listSettings().length, Object.keys(Config.properties).length);
  for (const [name, { purpose, description }] of listSettings()) {
    t.match(purpose, /^[A-Z`].*\.$/, `${name} is for`);
    t.match(description, /^[^|]+[^.|]$/, `${name} takes`);
  }
});

t.test('the page has a row for every setting, with its default and its values', async (t) => {
  const rows = renderConfiguration().match(/^\| `QUATI_.*$/gm) ?? [];
  t.equal(rows.length, Object.keys(Config.properties).length);
  t.match(rows, [
    /^\| `QUATI_HOST` \| `localhost` \| .+ \| a host name/,
    /^\| `QUATI_PORT` \| `8000` \| .+ 65535 \|$/,
  ]);
});
