// a collection of broken, unusual and malicious images, if it exists → each gets a prediction or a problem in time.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { solidPng } from '../helpers/images.js';
import { projectUrl } from '../helpers/project.js';
import { createTestApp } from '../helpers/service.js';

// Next to the project, or in the folder of QUATI_HOSTILE.
const folder = process.env.QUATI_HOSTILE ?? fileURLToPath(new URL('../shared/data/hostile', projectUrl));
const files = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
const images = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));

const longestMs = 5000;
const skip = images.length === 0 && `there is no ${folder}`;

// Long enough for hundreds of images on a busy machine.
t.setTimeout(180_000);

t.test('every hostile image is answered with 200 or a 4xx problem', { skip }, async (t) => {
  const app = await createTestApp(t);
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const post = async (body: Buffer) => {
    const signal = AbortSignal.timeout(30_000);
    return await fetch(`${url}/predict`, { method: 'POST', body: new Uint8Array(body), signal });
  };
  const wrong: string[] = [];
  const before = process.memoryUsage().rss;
  for (const file of images) {
    const start = performance.now();
    const response = await post(await readFile(file));
    const took = performance.now() - start;
    const body = await response.text();
    const answer = JSON.parse(body) as { category?: string; code?: string };
    const fine = response.status === 200 ? answer.category : response.status < 500 && answer.code;
    if (!fine || took > longestMs) wrong.push(`${file}: ${response.status} after ${Math.round(took)} ms`);
    if (/\/src\/|node_modules|\n\s+at /.test(body)) wrong.push(`${file}: tells of the inside: ${body}`);
  }
  t.same(wrong, []);
  const grown = (process.memoryUsage().rss - before) / 2 ** 20;
  t.ok(grown < 400, `${Math.round(grown)} MiB more`);
  t.same(await (await post(solidPng(28, 28, 255))).json(), { category: 'bright' }, 'and the server lives');
});
