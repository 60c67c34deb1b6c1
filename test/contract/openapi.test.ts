// openapi.yaml and docs/http.md against the code that they describe.
import { readFile } from 'node:fs/promises';
import t from 'tap';
import { catalogue } from '../../src/service/errors.js';
import { renderOpenapi } from '../../src/service/openapi.js';
import { projectUrl } from '../helpers/project.js';

const committed = await readFile(new URL('openapi.yaml', projectUrl), 'utf8');
const guide = await readFile(new URL('docs/http.md', projectUrl), 'utf8');

t.test('openapi.yaml equals the output of npm run openapi', async (t) => {
  t.equal(committed, await renderOpenapi());
});

t.test('openapi.yaml describes both headers for a key, and that a server may need none', async (t) => {
  t.match(committed, /^security:\n {2}- \{\}\n {2}- bearer: \[\]\n {2}- apiKey: \[\]$/m);
  t.match(committed, /^ {4}bearer:\n {6}type: http\n {6}scheme: bearer$/m);
  t.match(committed, /^ {4}apiKey:\n {6}type: apiKey\n {6}in: header\n {6}name: x-api-key$/m);
});

t.test('openapi.yaml has every error code, and docs/http.md has it with its status', async (t) => {
  for (const [code, { status }] of Object.entries(catalogue)) {
    t.match(committed, new RegExp(`- ${code}$`, 'm'));
    t.match(guide, new RegExp(`^\\| \`${code}\` \\| ${status} \\|`, 'm'));
  }
});

t.test('docs/http.md lists no code that the catalogue does not have', async (t) => {
  const rows = [...guide.matchAll(/^\| `([a-z_]+)` \| (\d+) \|/gm)].map(([, code]) => code);
  t.same(rows, Object.keys(catalogue));
});
