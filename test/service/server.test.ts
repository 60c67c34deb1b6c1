// a server that listens: how it ends, what it refuses, what `quati serve` prints, and which files it writes.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTick } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import t from 'tap';
import type { Classification } from '../../src/inference/pipeline.js';
import { startServer } from '../../src/service/server.js';
import { writeFixtureModel } from '../helpers/fixture-model.js';
import { solidPng } from '../helpers/images.js';
import { createFakeApp, testConfig } from '../helpers/service.js';

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const image = new Uint8Array(solidPng(28, 28, 255));
const answer: Classification = {
  model: { name: 'a', version: 1, variant: 'float32' },
  predictions: [{ category: 'bright', confidence: 1 }],
  timings: { queueMs: 0, decodeMs: 0, inferenceMs: 0 },
};

t.test(
  'a closing server is not ready, answers requests on open connections, and accepts no new connections',
  async (t) => {
    let finish = (_: Classification) => {};
    let start = () => {};
    const started = new Promise<void>((resolve) => {
      start = resolve;
    });
    const app = await createFakeApp(t, () => {
      start();
      return new Promise((resolve) => {
        finish = resolve;
      });
    });
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    const first = fetch(`${url}/predict`, { method: 'POST', body: image });
    await started;
    const [live, ready] = [await connected(app, 'live'), await connected(app, 'ready')];
    const closing = app.close();
    while (!app.isDraining()) await nextTick();
    t.match(await live(), /^HTTP\/1.1 200 OK[\s\S]*\nconnection: close/i);
    t.match(await ready(), /^HTTP\/1.1 503 [\s\S]*"code":"draining"/);
    await t.rejects(fetch(`${url}/health/live`), 'nothing listens');
    finish(answer);
    t.same(await (await first).json(), { category: 'bright' });
    await closing;
  },
);

t.test('draining ends in time, although a client never finishes its request or reads', async (t) => {
  const models = t.testdir();
  await writeFixtureModel(models);
  const server = await startServer(
    testConfig({ models, host: '127.0.0.1', port: 0, workers: 1, drainTimeoutMs: 300 }),
  );
  const socket = connect({ port: Number(new URL(server.url).port), host: '127.0.0.1' });
  socket.on('error', () => {});
  socket.write('POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nslow');
  await once(server.app.server, 'request');
  await server.close();
  t.pass('closed');
});

/** An open connection, and the responses to its requests. */
async function connected(app: FastifyInstance, path: string): Promise<() => Promise<string>> {
  const accepted = once(app.server, 'connection');
  const { port } = app.server.address() as AddressInfo;
  const socket = connect({ port, host: '127.0.0.1' });
  await accepted;
  return () => {
    socket.write(`GET /health/${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
    return text(socket);
  };
}

t.test('a port that is already in use is an error, and the workers exit', async (t) => {
  const models = t.testdir();
  await writeFixtureModel(models);
  const config = testConfig({ models, host: '127.0.0.1', port: 0, workers: 1 });
  const server = await startServer(config);
  t.match(server.url, /^http:\/\/127.0.0.1:\d+$/);
  t.teardown(() => server.close());
  const port = Number(new URL(server.url).port);
  await t.rejects(startServer({ ...config, port }), {
    name: 'ListenError',
    message: `The server cannot listen: port ${port} of 127.0.0.1 is taken by another process: end that one, or set QUATI_PORT (0 takes a free port)`,
  });
  const response = await fetch(`${server.url}/predict`, { method: 'POST', body: image });
  t.same(await response.json(), { category: 'bright' });
});

t.test('quati serve lists its models, answers requests, exits on SIGTERM, and writes no files', async (t) => {
  const folder = t.testdir();
  const models = join(folder, 'models');
  await writeFixtureModel(models, { name: 'good', variants: ['float32', 'int8'] });
  await writeFixtureModel(models, { name: 'bad', change: (card) => ({ ...card, name: 'other' }) });
  for (const name of ['home', 'cache', 'work']) await mkdir(join(folder, name));
  const before = await listFiles(folder);
  const key = 'a-key-of-16-signs';
  const server = serve(folder, { QUATI_MODELS: models, QUATI_VARIANT: 'int8', QUATI_API_KEYS: key });
  const output = readOutput(server);
  const url = await output.url;
  const ask = (headers: Record<string, string>) =>
    fetch(`${url}/predict?model=good`, { method: 'POST', body: image, headers });
  t.same(await (await ask({ 'x-api-key': key })).json(), { category: 'bright' });
  t.match(await (await ask({})).json(), { status: 401, code: 'unauthorised' });
  t.notMatch(await (await ask({ authorization: 'Bearer wrong' })).text(), key);
  server.kill('SIGTERM');
  const [code] = await once(server, 'exit');
  t.equal(code, 0);
  const printed = await output.all;
  t.match(printed, /^bad version 1: not ready: .*bad\/1\/card\.json: the card is for the model other$/m);
  t.match(printed, /^good version 1: ready, int8 was requested$/m);
  t.same(
    await listFiles(folder),
    before,
    'neither the home, the cache nor the working folder was written to',
  );
});

t.test('an invalid setting ends quati serve with exit code 2 and names the variable', async (t) => {
  const folder = t.testdir({ home: {}, cache: {}, work: {} });
  const server = serve(folder, { QUATI_PORT: 'http' });
  const [errors, [code]] = await Promise.all([text(server.stderr), once(server, 'exit')]);
  t.equal(code, 2);
  t.match(errors, /QUATI_PORT=http: expected an integer from 0 to 65535/);
});

t.test('an address that is not available ends quati serve with a message of one line', async (t) => {
  const folder = t.testdir({ home: {}, cache: {}, work: {} });
  const models = join(folder, 'models');
  await writeFixtureModel(models);
  const server = serve(folder, { QUATI_MODELS: models, QUATI_HOST: '192.0.2.1' });
  const [errors, [code]] = await Promise.all([text(server.stderr), once(server, 'exit')]);
  t.equal(code, 1);
  t.match(errors, /^error: The server cannot listen: this machine has no address 192\.0\.2\.1: .*\n$/);
  const config = testConfig({ models, host: 'no-such-host.invalid', port: 0, workers: 1 });
  await t.rejects(startServer(config), {
    name: 'ListenError',
    message: /^The server cannot listen: the host name no-such-host\.invalid [^\n]*$/,
  });
});

t.test('a signal before the server is ready ends the process at once', async (t) => {
  const folder = t.testdir({ home: {}, cache: {}, work: {} });
  const models = join(folder, 'models');
  for (let version = 1; version <= 20; version++) await writeFixtureModel(models, { version });
  const server = serve(folder, { QUATI_MODELS: models });
  await untilItHandles(server, 'SIGTERM');
  server.kill('SIGTERM');
  const [code, signal] = await once(server, 'exit');
  t.same([code, signal], [null, 'SIGTERM']);
});

t.test('if nobody reads the output any more, the server still answers, and exits on SIGTERM', async (t) => {
  const folder = t.testdir({ home: {}, cache: {}, work: {} });
  const models = join(folder, 'models');
  await writeFixtureModel(models);
  const server = serve(folder, { QUATI_MODELS: models, QUATI_LOG_REQUESTS: 'always' });
  const url = await readOutput(server).url;
  server.stdout.destroy();
  for (let i = 0; i < 20; i++) {
    const response = await fetch(`${url}/predict`, { method: 'POST', body: image });
    t.same(await response.json(), { category: 'bright' });
  }
  server.kill('SIGTERM');
  t.same(await once(server, 'exit'), [0, null]);
});

t.test('if the pipe of the output stays full, the server still answers, and exits on SIGTERM', async (t) => {
  const folder = t.testdir({ home: {}, cache: {}, work: {} });
  const models = join(folder, 'models');
  await writeFixtureModel(models);
  const settings = { QUATI_MODELS: models, QUATI_LOG_REQUESTS: 'always', QUATI_DRAIN_TIMEOUT_MS: '100' };
  const server = serve(folder, settings);
  const url = await readOutput(server).url;
  server.stdout.pause();
  // Four times the capacity of a pipe and its reader.
  const path = `/health/live?${'x'.repeat(90)}`;
  const headers = { 'x-request-id': 'x'.repeat(128) };
  // Half the processor time of fetch.
  const agent = new Agent({ keepAlive: true });
  for (let i = 0; i < 1500; i++) {
    const [response] = await once(get(`${url}${path}`, { agent, headers }), 'response');
    await once(response.resume(), 'end');
  }
  agent.destroy();
  t.equal((await fetch(`${url}${path}`)).status, 200);
  t.teardown(() => server.kill('SIGKILL'));
  server.kill('SIGTERM');
  await once(server, 'exit');
});

/** Linux lists in /proc the signals that a process handles. */
async function untilItHandles(server: Served, signal: 'SIGTERM'): Promise<void> {
  const bit = 1n << BigInt(constants.signals[signal] - 1);
  for (;;) {
    const status = await readFile(`/proc/${server.pid}/status`, 'utf8');
    if (BigInt(`0x${/^SigCgt:\s*(\w+)/m.exec(status)?.[1] ?? '0'}`) & bit) return;
    await nextTick();
  }
}

type Served = ChildProcessByStdio<null, Readable, Readable>;

function serve(folder: string, settings: Record<string, string>): Served {
  // No other variable of this process's environment.
  const env = {
    PATH: process.env.PATH,
    HOME: join(folder, 'home'),
    XDG_CACHE_HOME: join(folder, 'cache'),
    QUATI_HOST: '127.0.0.1',
    QUATI_PORT: '0',
    QUATI_WORKERS: '1',
    ...settings,
  };
  return spawn(process.execPath, [main, 'serve'], {
    env,
    cwd: join(folder, 'work'),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Everything that the server prints. `url` resolves when it listens. */
function readOutput(server: Served): { url: Promise<string>; all: Promise<string> } {
  let printed = '';
  const url = new Promise<string>((resolve, reject) => {
    server.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      printed += chunk;
      const found = /^Quati listens on (\S+)/m.exec(printed)?.[1];
      if (found) resolve(found);
    });
    server.once('exit', () => reject(new Error(`The server ended: ${printed}`)));
  });
  return { url, all: once(server.stdout, 'end').then(() => printed) };
}

async function listFiles(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).sort();
}
