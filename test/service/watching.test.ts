// requests → their metrics and their lines in the log.
import t from 'tap';
import { createPipeline } from '../../src/inference/pipeline.js';
import { createApp } from '../../src/service/app.js';
import { createMetrics } from '../../src/service/metrics.js';
import { writeFixtureModel } from '../helpers/fixture-model.js';
import { solidPng, truncatedPng } from '../helpers/images.js';
import { createLocalPool } from '../helpers/local-pool.js';
import { createTestApp, testConfig } from '../helpers/service.js';

async function post(app: Awaited<ReturnType<typeof createApp>>, payload: Buffer, url = '/predict') {
  return await app.inject({ method: 'POST', url, payload, headers: { 'content-type': 'image/png' } });
}

t.test('metrics report requests, stages, batches, refusals, models and the event loop', async (t) => {
  const models = t.testdir();
  await writeFixtureModel(models);
  const metrics = createMetrics();
  const observer = metrics.observer;
  const pipeline = await createPipeline({ models, workers: 1, observer, createPool: createLocalPool });
  const app = await createApp(testConfig(), pipeline, { metrics });
  t.teardown(() => app.close());
  await Promise.all([1, 2, 3].map((value) => post(app, solidPng(28, 28, value))));
  await post(app, truncatedPng());
  await app.inject('/made/up/by/a/client');
  const response = await app.inject('/metrics');
  t.match(response.headers['content-type'], /^text\/plain; version=0\.0\.4/);
  const model = 'model="brightness",version="1",variant="float32"';
  for (const line of [
    'quati_requests_total{method="POST",route="/predict",status="200"} 3',
    'quati_requests_total{method="POST",route="/predict",status="422"} 1',
    'quati_requests_total{method="GET",route="none",status="404"} 1',
    'quati_request_duration_seconds_count{route="/predict"} 4',
    'quati_rejected_total{reason="undecodable_image"} 1',
    'quati_rejected_total{reason="not_found"} 1',
    `quati_queue_wait_seconds_count{${model}} 3`,
    `quati_decode_seconds_count{${model}} 3`,
    `quati_inference_seconds_count{${model}} 3`,
    `quati_batch_images_sum{${model}} 4`,
    `quati_model_ready{${model}} 1`,
    `quati_queue_images{${model}} 0`,
    'quati_worker_restarts_total 0',
  ])
    t.ok(response.body.includes(`\n${line}\n`), line);
  // Each image waits for at most one running batch, or two wait for the first; the truncated image runs alone.
  t.match(response.body, new RegExp(`\nquati_batch_images_count\\{${model}\\} [34]\n`));
  t.match(response.body, /^quati_event_loop_delay_seconds\{quantile="0\.99"\} [\d.e-]+$/m);
  t.match(response.body, /^process_resident_memory_bytes \d+$/m);
});

t.test('every metric of Quati has a Prometheus name: base units, and _total for counters', async (t) => {
  const { body } = await (await createTestApp(t)).inject('/metrics');
  const types = [...body.matchAll(/^# TYPE (quati_\w+) (\w+)$/gm)];
  t.ok(types.length >= 10);
  for (const [, name = '', type] of types) {
    t.match(name, /^quati_[a-z_]+$/);
    t.equal(name.endsWith('_total'), type === 'counter', name);
    t.notMatch(name, /_ms|milli/);
  }
});

t.test('if requests are logged, each has one line with the id of its response', async (t) => {
  const lines: Record<string, unknown>[] = [];
  const log = { write: (line: string) => void lines.push(JSON.parse(line)) };
  for (const logRequests of ['always', 'never'] as const) {
    const app = await createTestApp(t, { logRequests, logLevel: 'info', log });
    const response = await post(app, solidPng(28, 28, 0), '/predict?top=1');
    const found = lines.splice(0).filter(({ msg }) => msg === 'request');
    if (logRequests === 'never') t.same(found, []);
    else
      t.match(found, [
        {
          reqId: response.headers['x-request-id'],
          method: 'POST',
          url: '/predict?top=1',
          status: 200,
          ms: Number,
        },
      ]);
  }
});

t.test('no key appears in the log, wherever a client writes it', async (t) => {
  const keys = ['key-of-16-or-more', 'with"quote\\and/$^.*+'];
  const lines: string[] = [];
  const log = { write: (line: string) => void lines.push(line) };
  const app = await createTestApp(t, { apiKeys: keys, logRequests: 'always', logLevel: 'trace', log });
  for (const key of keys) {
    const escaped = encodeURIComponent(key);
    const all = [...key].map((character) => `%${character.charCodeAt(0).toString(16)}`).join('');
    for (const written of [
      escaped,
      all,
      all.toUpperCase(),
      `${all.slice(0, 3)}${escaped.slice(escaped[0] === '%' ? 3 : 1)}`,
    ])
      for (const url of [
        `/models?api_key=${written}`,
        `/predict?model=${written}`,
        `/predict?top=${written}`,
        `/models/${written}`,
        `/v1/models/${written}`,
        `/${written}`,
        `/${written}/%zz`,
        `/docs/${written}`,
        `/models?${written}`,
        `/models?${written}=1`,
      ])
        for (const method of ['GET', 'POST'] as const)
          await app.inject({ method, url, headers: { 'x-api-key': key, 'x-request-id': 'a' } });
  }
  t.ok(lines.length > 200);
  const decoded = lines.flatMap((line) => [
    line,
    line.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
  ]);
  for (const key of keys)
    for (const form of [key, JSON.stringify(key).slice(1, -1)])
      t.same(
        decoded.filter((line) => line.includes(form)),
        [],
      );
});

t.test("the log has the values of the API's parameters only", async (t) => {
  const lines: Record<string, unknown>[] = [];
  const log = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const app = await createTestApp(t, { logRequests: 'always', logLevel: 'info', log });
  const logged = async (url: string) => {
    await app.inject(url);
    return lines.pop()?.url;
  };
  for (const name of [
    'api_key',
    'x-api-key',
    'API_KEY',
    'key',
    'token',
    'access_token',
    'password',
    'sig',
    'x%2Dapi-key',
    'tops',
  ])
    t.equal(await logged(`/models?${name}=secret`), `/models?${name}=…`);
  t.equal(
    await logged('/predict?top=2&token=a=b&model=mnist&timings=true&key&variant=int8'),
    '/predict?top=2&token=…&model=mnist&timings=true&key&variant=int8',
  );
  t.equal(await logged('/models'), '/models');
  t.equal(await logged('http://user:secret@host/models?token=secret'), '/models?token=…');
  t.ok(String(await logged(`/models?top=${'1'.repeat(9000)}`)).length < 300);
});
