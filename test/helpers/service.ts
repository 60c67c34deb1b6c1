// fixture models and settings → the app, ready for inject; forms → what inject takes.
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { createPipeline, type Pipeline } from '../../src/inference/pipeline.js';
import { type AppOptions, createApp } from '../../src/service/app.js';
import { type Config, readConfig } from '../../src/service/config.js';
import { idlePipeline } from '../../src/service/openapi.js';
import { type FixtureModel, writeFixtureModel } from './fixture-model.js';
import { createLocalPool } from './local-pool.js';

interface Tap {
  testdir(): string;
  teardown(done: () => Promise<unknown>): void;
}

export function testConfig(settings: Partial<Config> = {}): Config {
  return { ...readConfig({ QUATI_LOG_LEVEL: 'silent' }), ...settings };
}

/** The app over real decoding and real sessions, without worker threads. */
export async function createTestApp(
  t: Tap,
  {
    models = [{}],
    log,
    ...settings
  }: Omit<Partial<Config>, 'models'> & Pick<AppOptions, 'log'> & { models?: FixtureModel[] } = {},
): Promise<FastifyInstance> {
  const folder = t.testdir();
  for (const model of models) await writeFixtureModel(folder, model);
  const config = testConfig({ ...settings, models: folder });
  const pipeline = await createPipeline({ ...config, workers: 1, createPool: createLocalPool });
  return await closing(t, createApp(config, pipeline, log ? { log } : {}));
}

/** The app over a pipeline of the test's own. */
export async function createFakeApp(
  t: Pick<Tap, 'teardown'>,
  classify: Pipeline['classify'],
  settings: Partial<Config> = {},
): Promise<FastifyInstance> {
  const pipeline: Pipeline = { ...idlePipeline, classify };
  return await closing(t, createApp(testConfig(settings), pipeline));
}

async function closing(
  t: Pick<Tap, 'teardown'>,
  created: Promise<FastifyInstance>,
): Promise<FastifyInstance> {
  const app = await created;
  t.teardown(() => app.close());
  return app;
}

export interface InjectBody {
  headers: Record<string, string>;
  payload: Buffer;
}

/** A value that is text is a field, bytes are a file. */
export async function form(...parts: [name: string, value: string | Buffer][]): Promise<InjectBody> {
  const data = new FormData();
  for (const [name, value] of parts) {
    if (typeof value === 'string') data.append(name, value);
    else data.append(name, new Blob([new Uint8Array(value)]), 'image.png');
  }
  const response = new Response(data);
  return {
    headers: { 'content-type': response.headers.get('content-type') ?? '' },
    payload: Buffer.from(await response.arrayBuffer()),
  };
}

export function postForm(
  app: FastifyInstance,
  url: string,
  body: InjectBody,
): Promise<LightMyRequestResponse> {
  return app.inject({ method: 'POST', url, ...body });
}

export async function postImage(
  app: FastifyInstance,
  url: string,
  image: Buffer,
): Promise<LightMyRequestResponse> {
  return postForm(app, url, await form(['file', image]));
}
