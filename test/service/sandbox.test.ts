// a system that refuses optional calls → the service starts, responds and exits as on any other system.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { writeFixtureModel } from '../helpers/fixture-model.js';
import { solidPng } from '../helpers/images.js';

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const refusedNiceties = new URL('../helpers/refused-niceties.js', import.meta.url).href;

t.test(
  'quati serve listens and answers, although it may not list interfaces or set priorities',
  async (t) => {
    const models = t.testdir();
    await writeFixtureModel(models);
    const server = spawn(process.execPath, ['--import', refusedNiceties, main, 'serve'], {
      env: {
        PATH: process.env.PATH,
        QUATI_MODELS: models,
        // Fastify lists interfaces only for this host.
        QUATI_HOST: '0.0.0.0',
        QUATI_PORT: '0',
        QUATI_WORKERS: '2',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(() => server.kill('SIGKILL'));
    const url = await listeningUrl(server);
    const response = await fetch(`${url}/predict`, {
      method: 'POST',
      body: new Uint8Array(solidPng(28, 28, 255)),
    });
    t.same(await response.json(), { category: 'bright' });
    server.kill('SIGTERM');
    t.same(await once(server, 'exit'), [0, null]);
  },
);

async function listeningUrl(server: ChildProcessByStdio<null, Readable, null>): Promise<string> {
  const printed: string[] = [];
  for await (const line of createInterface(server.stdout)) {
    const [, url] = /^Quati listens on (\S+)/.exec(line) ?? [];
    if (url !== undefined) return url;
    printed.push(line);
  }
  throw new Error(`The server ended: ${printed.join('\n')}`);
}
