// a server under load, whose workers exit or whose process gets a signal: no request is lost.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { setEnvironmentData } from 'node:worker_threads';
import t from 'tap';
import { createPipeline } from '../../src/inference/pipeline.js';
import { createPool } from '../../src/inference/workers/pool.js';
import { createApp } from '../../src/service/app.js';
import { createMetrics } from '../../src/service/metrics.js';
import { writeFixtureModel } from '../helpers/fixture-model.js';
import { solidPng } from '../helpers/images.js';
import { testConfig } from '../helpers/service.js';

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const images = [0, 255].map((value) => solidPng(28, 28, value));
const expected = ['{"category":"dark"}', '{"category":"bright"}'];

t.setTimeout(300_000);

t.test('workers that exit under load lose no request, and are counted', async (t) => {
  const models = t.testdir();
  await writeFixtureModel(models);
  setEnvironmentData('tasks', new Int32Array(new SharedArrayBuffer(4)));
  // A lost batch runs again as up to sixteen tasks, which must not end a worker as well. 900 images are more than sixty tasks.
  setEnvironmentData('deadly tasks', [8, 32, 60]);
  const metrics = createMetrics();
  const workerUrl = new URL('../helpers/mortal-worker.js', import.meta.url);
  const pipeline = await createPipeline({
    models,
    workers: 2,
    observer: metrics.observer,
    createPool: (options) => createPool({ ...options, workerUrl }),
  });
  const app = await createApp(testConfig(), pipeline, { metrics });
  t.teardown(() => app.close());
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const agent = new Agent({ keepAlive: true, maxSockets: 24 });
  t.teardown(() => agent.destroy());
  const answers = await Promise.all(
    Array.from({ length: 900 }, (_, i) => post(`${url}/predict`, images[i % 2] as Buffer, agent)),
  );
  t.same(
    answers.filter(({ status, body }, i) => status !== 200 || body !== expected[i % 2]),
    [],
  );
  t.match(await text(await get(`${url}/metrics`)), /^quati_worker_restarts_total 3$/m);
});

t.test(
  'adding, refusing and removing versions under load, while workers exit, loses no request',
  async (t) => {
    const root = t.testdir({ models: {}, staging: {} });
    const models = join(root, 'models');
    await writeFixtureModel(models);
    setEnvironmentData('tasks', new Int32Array(new SharedArrayBuffer(4)));
    setEnvironmentData('deadly tasks', [40, 90]);
    const workerUrl = new URL('../helpers/mortal-worker.js', import.meta.url);
    const lines: string[] = [];
    const config = testConfig({ models, reloadMs: 20, logLevel: 'info' });
    const pipeline = await createPipeline({
      ...config,
      workers: 2,
      createPool: (options) => createPool({ ...options, workerUrl }),
    });
    const app = await createApp(config, pipeline, { log: { write: (line) => lines.push(line) } });
    t.teardown(() => app.close());
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    const agent = new Agent({ keepAlive: true });
    t.teardown(() => agent.destroy());
    const of = async (version: number, labels: string[], change?: (card: object) => unknown) =>
      await writeFixtureModel(join(root, 'staging'), { version, labels, ...(change && { change }) });
    const counts = new Map<string, number>();
    let done = false;
    const client = async () => {
      while (!done) {
        const { status, body } = await post(`${url}/predict`, images[1] as Buffer, agent);
        const key = `${status} ${body}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
        // Sixteen clients without a pause would only keep the processors busy until the changes are seen.
        await sleep(10);
      }
    };
    const clients = Array.from({ length: 16 }, client);
    const until = async (text: string) => {
      while (!lines.some((line) => line.includes(text))) await sleep(10);
    };
    for (const round of [1, 2]) {
      const label = `day ${round}`;
      lines.length = 0;
      await rename(await of(2, ['night', label]), join(models, 'brightness/2'));
      await until('the model is ready');
      await rename(
        await of(3, ['never', 'ever'], (card) => ({ ...card, labels: ['a'] })),
        join(models, 'brightness/3'),
      );
      await until('the model is not ready');
      await sleep(50);
      for (const version of [2, 3]) await rm(join(models, `brightness/${version}`), { recursive: true });
      await until('"version":2,"msg":"the version was removed');
    }
    done = true;
    await Promise.all(clients);
    t.same(
      [...counts.keys()].sort(),
      ['bright', 'day 1', 'day 2'].map((category) => `200 ${JSON.stringify({ category })}`),
    );
    t.ok(Math.min(...counts.values()) > 5, JSON.stringify([...counts]));
  },
);

t.test(
  'on SIGTERM under load every accepted request gets a response, and the process exits with 0',
  async (t) => {
    const models = t.testdir();
    await writeFixtureModel(models);
    const server = spawn(process.execPath, [main, 'serve'], {
      env: {
        PATH: process.env.PATH,
        QUATI_MODELS: models,
        QUATI_HOST: '127.0.0.1',
        QUATI_PORT: '0',
        QUATI_WORKERS: '1',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const url = await new Promise<string>((resolve) => {
      let printed = '';
      server.stdout.on('data', (chunk) => {
        printed += chunk;
        const found = /listens on (\S+)/.exec(printed)?.[1];
        if (found) resolve(found);
      });
    });
    const agent = new Agent({ keepAlive: true });
    t.teardown(() => agent.destroy());
    let answered = 0;
    const lost: string[] = [];
    const client = async (i: number) => {
      for (;;) {
        try {
          const { status, body } = await post(`${url}/predict`, images[i % 2] as Buffer, agent);
          if (status !== 200 || body !== expected[i % 2]) lost.push(`${status} ${body}`);
          if (++answered === 200) server.kill('SIGTERM');
        } catch (error) {
          // The connection was refused before anything was sent, so no request was lost: a client would try another instance.
          if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') lost.push(String(error));
          return;
        }
      }
    };
    const exit = once(server, 'exit');
    await Promise.all(Array.from({ length: 16 }, (_, i) => client(i)));
    t.same(lost, []);
    t.ok(answered >= 200);
    t.same(await exit, [0, null]);
  },
);

function post(
  url: string,
  body: Buffer,
  agent: Agent,
): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'image/png', 'content-length': body.length };
    const upload = request(url, { method: 'POST', agent, headers }, (response) => {
      buffer(response).then(
        (bytes) => resolve({ status: response.statusCode, body: bytes.toString() }),
        reject,
      );
    });
    upload.on('error', reject);
    upload.end(body);
  });
}

async function get(url: string) {
  const [response] = await once(request(url).end(), 'response');
  return response;
}
