import t from 'tap';
import { createClient } from '../../src/client/client.js';
import { solidPng } from '../helpers/images.js';
import { createTestApp } from '../helpers/service.js';

t.test('a server that requires a key accepts the client that has it', async (t) => {
  const apiKey = 'a-key-of-some-length';
  const app = await createTestApp(t, { apiKeys: [apiKey] });
  const baseUrl = await app.listen({ port: 0, host: '127.0.0.1' });
  const image = solidPng(28, 28, 200);
  await t.rejects(createClient({ baseUrl }).predict(image), { status: 401, code: 'unauthorised' });
  const client = createClient({ baseUrl, apiKey });
  t.ok((await client.predict(image)).category);
  t.equal((await client.models()).length, 1);
});

t.test('the client and the server agree', async (t) => {
  const app = await createTestApp(t);
  const baseUrl = await app.listen({ port: 0, host: '127.0.0.1' });
  const client = createClient({ baseUrl });
  const [model, ...others] = await client.models();
  t.strictSame(others, []);
  t.match(model, { ready: true, version: 1 });
  const { name = '', labels = [] } = model ?? {};

  t.test('on models', async (t) => {
    t.strictSame(await client.model(name), model);
    t.equal(await client.ready(), true);
  });

  t.test('on predictions of the default model, a named one and a version', async (t) => {
    const image = solidPng(28, 28, 200);
    const prediction = await client.predict(image, { top: 2 });
    t.ok(labels.includes(prediction.category));
    t.equal(prediction.predictions.length, 2);
    t.strictSame(prediction.predictions[0], {
      category: prediction.category,
      confidence: prediction.confidence,
    });
    t.match(prediction.model, { name, version: 1 });
    t.strictSame(await client.predict(image, { model: name, top: 2 }), prediction);
    t.strictSame(await client.predict(new Blob([image]), { model: name, version: 1, top: 2 }), prediction);
  });

  t.test('on problems', async (t) => {
    await t.rejects(client.predict(Buffer.from('no image')), {
      status: 415,
      code: 'unsupported_type',
      requestId: /./,
    });
    await t.rejects(client.predict(Buffer.alloc(0)), { status: 400, code: 'bad_request' });
    await t.rejects(client.predict(solidPng(1, 1, 0), { model: 'nope' }), {
      status: 404,
      code: 'model_not_found',
    });
  });
});
