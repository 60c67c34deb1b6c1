// A model file that never opens → its request fails, the service says that it is not ready, and all other requests are answered.
import { execFileSync } from 'node:child_process';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { createPipeline } from '../../src/inference/pipeline.js';
import { createPool } from '../../src/inference/workers/pool.js';
import { createApp } from '../../src/service/app.js';
import { createMetrics } from '../../src/service/metrics.js';
import { writeFixtureModel } from '../helpers/fixture-model.js';
import { solidPng } from '../helpers/images.js';
import { testConfig } from '../helpers/service.js';

t.test(
  'workers that hang are replaced and reported; when they end, the service is ready again',
  async (t) => {
    const models = t.testdir();
    const folder = await writeFixtureModel(models, { variants: ['int8', 'float32'] });
    const metrics = createMetrics();
    const pipeline = await createPipeline({
      models,
      workers: 2,
      observer: metrics.observer,
      createPool: (options) => createPool({ ...options, taskTimeoutMs: 500 }),
    });
    const app = await createApp(testConfig({ models }), pipeline, { metrics });
    t.teardown(() => app.close());
    const post = async (variant: string) =>
      (
        await app.inject({
          method: 'POST',
          url: `/models/brightness/predict?variant=${variant}`,
          payload: solidPng(28, 28, 255),
        })
      ).statusCode;
    const ready = async () => (await app.inject('/health/ready')).statusCode;
    const stuck = async () =>
      Number(/quati_workers_stuck (\d)/.exec((await app.inject('/metrics')).body)?.[1]);

    t.equal(await post('int8'), 200);
    // It was checked at the start, and a worker opens it at its first request.
    const file = join(folder, 'float32.onnx');
    await rm(file);
    execFileSync('mkfifo', [file]);
    const hanging = post('float32');
    const others = Promise.all(Array.from({ length: 20 }, () => post('int8')));
    t.equal(await hanging, 500);
    t.same(new Set(await others), new Set([200]), 'the other worker and the replacements answer');
    t.equal(await stuck(), 2, 'the image was tried twice');
    t.equal(await ready(), 503);
    t.equal(await post('int8'), 200, 'while both hang');
    // Both readers get its end.
    await (await open(file, 'w')).close();
    for (let i = 0; i < 200 && (await stuck()) > 0; i++) await sleep(20);
    t.equal(await stuck(), 0);
    t.equal(await ready(), 200);
  },
);
