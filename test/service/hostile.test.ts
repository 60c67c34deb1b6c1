// a collection of broken, odd and malicious images, where there is one → an answer or a problem each, in time.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { solidPng } from '../helpers/images.js';
import { projectUrl } from '../helpers/project.js';
import { createTestApp } from '../helpers/service.js';

const folder = fileURLToPath(new URL('../shared/data/hostile', projectUrl));
const files = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
const images = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));

const skip = images.length === 0 && `there is no ${folder}`;

// Hundreds of images, on machines that may be busy.
t.setTimeout(180_000);

t.test('every hostile image is answered with 200 or a 4xx problem', { skip }, async (t) => {
  const app = await createTestApp(t);
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const post = async (body: Buffer) => {
    const signal = AbortSignal.timeout(30_000);
    return await fetch(`${url}/predict`, { method: 'POST', body: new Uint8Array(body), signal });
  };
  const wrong: string[] = [];
  for (const file of images) {
    const response = await post(await readFile(file));
    const answer = (await response.json()) as { category?: string; code?: string };
    const fine = response.status === 200 ? answer.category : response.status < 500 && answer.code;
    if (!fine) wrong.push(`${file}: ${response.status}`);
  }
  t.same(wrong, []);
  t.same(await (await post(solidPng(28, 28, 255))).json(), { category: 'bright' }, 'and the server lives');
});
