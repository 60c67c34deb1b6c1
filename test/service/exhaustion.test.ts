// a real server without free files, disk or temporary folder, or with many versions → it responds or refuses, and recovers.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { connectionsWithin } from '../../src/service/open-files.js';
import { writeFixtureModel } from '../helpers/fixture-model.js';
import { solidPng } from '../helpers/images.js';

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const image = new Uint8Array(solidPng(28, 28, 255));
const skip = process.platform !== 'linux' && 'needs /proc and /dev/full';
type Test = Pick<typeof t, 'testdir' | 'teardown'>;

interface Served {
  server: ChildProcess;
  port: number;
  printed(): string;
  predict(version?: number): Promise<number>;
}

/** Starts a server that listens on a port of its own. @param shell runs before it, in the same shell. */
async function serve(t: Test, shell: string, settings: Record<string, string> = {}): Promise<Served> {
  const port = await freePort();
  const env = {
    PATH: process.env.PATH,
    QUATI_HOST: '127.0.0.1',
    QUATI_PORT: String(port),
    QUATI_WORKERS: '1',
    QUATI_LOG_REQUESTS: 'always',
    ...settings,
  };
  const command = `${shell}; exec "${process.execPath}" "${main}" serve`;
  const server = spawn('bash', ['-c', command], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => server.kill('SIGKILL'));
  let printed = '';
  for (const stream of [server.stdout, server.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      printed += chunk;
    });
  const url = `http://127.0.0.1:${port}`;
  while ((await fetch(`${url}/health/live`).catch(() => undefined)) === undefined) {
    if (server.exitCode !== null) throw new Error(`The server ended with ${server.exitCode}: ${printed}`);
    await sleep(50);
  }
  const predict = async (version = 1) =>
    (
      await fetch(`${url}/models/brightness/versions/${version}/predict`, {
        method: 'POST',
        body: image,
        headers: { connection: 'close' },
      })
    ).status;
  return { server, port, printed: () => printed, predict };
}

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  listener.close();
  return typeof address === 'object' && address ? address.port : 0;
}

async function end({ server }: Served): Promise<unknown> {
  server.kill('SIGTERM');
  return server.exitCode ?? (await once(server, 'exit'))[0];
}

t.test(
  'with 64 open files, connections above the limit are refused, and no request is lost',
  { skip },
  async (t) => {
    const models = path.join(t.testdir({ models: {} }), 'models');
    for (const version of [1, 2]) await writeFixtureModel(models, { version });
    const served = await serve(t, 'ulimit -n 64', { QUATI_MODELS: models, QUATI_RELOAD_MS: '100' });
    for (let i = 0; i < 100 && !served.printed().includes('accepted instead'); i++) await sleep(50);
    t.match(served.printed(), /connections are accepted instead of 1024 .*only 64 files may be open/);
    const held: Socket[] = [];
    let refused = 0;
    for (let i = 0; i < 150; i++)
      held.push(
        connect({ port: served.port, host: '127.0.0.1' })
          .on('error', () => {})
          .on('close', () => refused++),
      );
    await sleep(500);
    t.ok(refused > 80 && refused < 150, `${refused} of 150 were refused`);
    // Meanwhile the models folder is polled again, and a version is added.
    await writeFixtureModel(path.join(models, '..', 'new'), { version: 3 });
    await cp(path.join(models, '..', 'new', 'brightness', '3'), path.join(models, 'brightness', '3'), {
      recursive: true,
    });
    for (let i = 0; i < 100 && !served.printed().includes('"version":3'); i++) await sleep(100);
    t.match(served.printed(), /"version":3,.*the model is ready/);
    for (const socket of held) socket.destroy();
    await sleep(200);
    for (const version of [1, 2, 3]) t.equal(await served.predict(version), 200);
    t.notMatch(served.printed(), /EMFILE|was removed/);
    t.equal(await end(served), 0);
  },
);

t.test(
  'a full disk under the log loses log lines but no requests, and the server still exits',
  { skip },
  async (t) => {
    const models = t.testdir();
    await writeFixtureModel(models);
    const served = await serve(t, 'exec >/dev/full', { QUATI_MODELS: models });
    for (let i = 0; i < 50; i++) t.equal(await served.predict(), 200);
    t.equal(await end(served), 0);
  },
);

t.test('if temporary files and measurements cannot be written, only the log changes', { skip }, async (t) => {
  const models = t.testdir();
  await writeFixtureModel(models, { variants: ['float32', 'int8'], defaultVariant: 'int8' });
  for (const folder of ['/proc', '/dev/full/none']) {
    const settings = {
      TMPDIR: folder,
      XDG_CACHE_HOME: folder,
      QUATI_VARIANT: 'auto',
      QUATI_MODELS: models,
    };
    const served = await serve(t, 'true', settings);
    t.equal(await served.predict(), 200);
    t.equal((await fetch(`http://127.0.0.1:${served.port}/docs`)).status, 200);
    t.equal(await end(served), 0);
  }
});

t.test(
  '200 versions are served in the memory that docker/ promises, also during a reload',
  { skip },
  async (t) => {
    const folder = t.testdir({ models: { brightness: {} }, one: {} });
    await writeFixtureModel(path.join(folder, 'one'));
    const models = path.join(folder, 'models');
    for (let version = 1; version <= 200; version++) {
      const copy = path.join(models, 'brightness', String(version));
      await mkdir(copy);
      await cp(path.join(folder, 'one', 'brightness', '1'), copy, { recursive: true });
    }
    const served = await serve(t, 'true', { QUATI_MODELS: models, QUATI_RELOAD_MS: '100' });
    for (const version of [1, 99, 200]) t.equal(await served.predict(version), 200);
    await cp(path.join(folder, 'one', 'brightness', '1'), path.join(models, 'brightness', '201'), {
      recursive: true,
    });
    for (let i = 0; i < 100 && !served.printed().includes('"version":201'); i++) await sleep(100);
    for (const version of [1, 99, 201]) t.equal(await served.predict(version), 200);
    const status = await readFile(`/proc/${served.server.pid}/status`, 'utf8');
    const megabytes = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
    t.ok(megabytes < 512, `${Math.round(megabytes)} MB`);
    t.equal(await end(served), 0);
  },
);

t.test('the limit of connections leaves as many files free as the server has open', async (t) => {
  t.equal(connectionsWithin({ limit: 1024, open: 30 }), 964);
  t.equal(connectionsWithin({ limit: 64, open: 40 }), 1);
});
