// GET /models, /models/{name}, /health, /docs → their responses.
import t from 'tap';
import { createTestApp } from '../helpers/service.js';

const unready = { name: 'moved', change: (card: object) => ({ ...card, title: 1 }) };

t.test('models are listed with their served version and variant', async (t) => {
  const app = await createTestApp(t, {
    models: [
      { name: 'a', version: 1 },
      { name: 'a', version: 2, variants: ['float32', 'int8'], defaultVariant: 'int8' },
      { name: 'b' },
    ],
  });
  t.match((await app.inject('/models')).json(), {
    models: [
      { name: 'a', labels: ['dark', 'bright'], version: 2, versions: [1, 2], ready: true, variant: 'int8' },
      { name: 'b', version: 1, versions: [1], ready: true, variantReason: "float32 is the card's default" },
    ],
  });
});

t.test('the response for one model has the cards of its versions', async (t) => {
  const app = await createTestApp(t, { models: [{ version: 1 }, { version: 3 }] });
  const model = (await app.inject('/models/brightness')).json();
  t.match(model, {
    name: 'brightness',
    title: 'Brightness in 2 steps',
    version: 3,
    versions: [{ version: 1 }, { version: 3 }],
  });
  t.match(model.versions[0].card, { input: { width: 28 }, variants: { float32: { file: 'float32.onnx' } } });
});

t.test('GET /models and /health/ready have the code of a model; /health/live stays 200', async (t) => {
  const app = await createTestApp(t, { models: [{ name: 'good' }, unready] });
  const model = (await app.inject('/models/moved')).json();
  t.match(model, { ready: false, labels: [], problem: 'card_invalid', versions: [{ ready: false }] });
  const ready = await app.inject('/health/ready');
  t.equal(ready.statusCode, 503);
  t.match(ready.json(), {
    code: 'not_ready',
    detail: 'moved version 1: card_invalid, its card.json is not a valid card',
    models: [{ name: 'moved', version: 1, problem: 'card_invalid' }],
  });
  t.equal((await app.inject('/health/live')).body, '{"status":"live"}');
});

t.test('a bad version above a good one is listed with its code, and the good one is served', async (t) => {
  const app = await createTestApp(t, {
    models: [{ version: 1 }, { version: 2, change: (card) => ({ ...card, title: 1 }) }],
  });
  const [model] = (await app.inject('/models')).json().models;
  t.match(model, {
    version: 1,
    ready: true,
    versions: [1, 2],
    problems: [{ version: 2, problem: 'card_invalid' }],
  });
  t.match((await app.inject('/models/brightness')).json(), {
    version: 1,
    versions: [
      { version: 1, ready: true },
      { version: 2, ready: false, problem: 'card_invalid' },
    ],
  });
  t.equal((await app.inject('/health/ready')).statusCode, 200);
});

t.test('/health/ready lists the ready models', async (t) => {
  const app = await createTestApp(t);
  t.same((await app.inject('/health/ready')).json(), {
    status: 'ready',
    models: [{ name: 'brightness', version: 1 }],
  });
});

t.test('the list states the default model, if there is one', async (t) => {
  const listed = async (options: Parameters<typeof createTestApp>[1]) =>
    (await (await createTestApp(t, options)).inject('/models')).json().default;
  t.equal(await listed({ models: [{ name: 'a' }] }), 'a', 'the only one');
  const three = [{ name: 'a' }, { name: 'cifar10' }, { name: 'd' }];
  t.equal(await listed({ models: three }), 'cifar10');
  t.equal(await listed({ models: three, defaultModel: 'd' }), 'd');
  t.equal(await listed({ models: three, defaultModel: 'gone' }), undefined);
  t.equal(await listed({ models: [{ name: 'a' }, { name: 'b' }] }), undefined);
});

t.test('a server without models is not ready', async (t) => {
  const app = await createTestApp(t, { models: [] });
  t.match((await app.inject('/health/ready')).json(), {
    status: 503,
    detail: 'There are no models',
    models: [],
  });
  t.same((await app.inject('/models')).json(), { models: [] });
});

t.test('the pages at /docs load only files of this server', async (t) => {
  const app = await createTestApp(t);
  const page = await app.inject('/docs');
  t.match(page.headers['content-type'], /^text\/html/);
  const links = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link ?? '');
  t.ok(links.length > 3);
  for (const link of links) t.equal((await app.inject(link)).statusCode, 200, link);
  const settings = (await app.inject('/docs/static/swagger-initializer.js')).body;
  t.match(settings, /validatorUrl: null/, 'and no validator elsewhere is asked');
});
