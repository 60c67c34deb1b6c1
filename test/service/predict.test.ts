// images in every accepted form → their responses.

import { EventEmitter, once } from 'node:events';
import t from 'tap';
import { monotonicMs } from '../../src/inference/clock.js';
import { unpackPng } from '../../src/inference/image/png.js';
import { grayInput } from '../helpers/fixture-model.js';
import { animatedGif, jpeg, solidPng, truncatedPng, webp } from '../helpers/images.js';
import { createFakeApp, createTestApp, form, postForm, postImage } from '../helpers/service.js';

const bright = solidPng(28, 28, 255);
const dark = solidPng(28, 28, 0);

t.test('the response to a form with one file is the category and nothing else', async (t) => {
  const app = await createTestApp(t);
  const response = await postImage(app, '/predict', bright);
  t.equal(response.statusCode, 200);
  t.equal(response.body, '{"category":"bright"}');
  t.equal((await postImage(app, '/predict', dark)).body, '{"category":"dark"}');
});

t.test('the image as the body gets the same response, with any content type', async (t) => {
  const app = await createTestApp(t);
  for (const type of ['image/png', 'application/json', 'text/plain', 'no type at all', undefined]) {
    const headers = type === undefined ? {} : { 'content-type': type };
    const response = await app.inject({ method: 'POST', url: '/predict', headers, payload: bright });
    t.equal(response.body, '{"category":"bright"}', `content-type: ${type}`);
  }
});

t.test('PNG, JPEG, WebP and GIF are accepted', async (t) => {
  const app = await createTestApp(t);
  for (const image of [solidPng(60, 60, 255), await jpeg(60, 60, 255), await webp(60, 60, 255)])
    t.equal((await postImage(app, '/predict', image)).body, '{"category":"bright"}');
  t.equal((await postImage(app, '/predict', animatedGif())).body, '{"category":"dark"}', 'its first frame');
});

t.test('other fields and files of the form are ignored', async (t) => {
  const app = await createTestApp(t);
  const body = await form(['note', 'text'], ['other', dark], ['file', bright], ['end', 'text']);
  t.equal((await postForm(app, '/predict', body)).body, '{"category":"bright"}');
});

t.test('top adds confidence, predictions and model', async (t) => {
  const app = await createTestApp(t, { models: [{ labels: ['night', 'dusk', 'day'] }] });
  const { category, confidence, predictions, model } = (
    await postImage(app, '/predict?top=2', bright)
  ).json();
  t.equal(category, 'day');
  t.same(
    predictions.map((prediction: { category: string }) => prediction.category),
    ['day', 'dusk'],
  );
  t.equal(predictions[0].confidence, confidence);
  t.ok(confidence > 0.99 && confidence <= 1);
  t.same(model, { name: 'brightness', version: 1, variant: 'float32' });
  t.equal((await postImage(app, '/predict?top=9', bright)).json().predictions.length, 3);
});

t.test('?model= or the path selects a model, and the path selects a version', async (t) => {
  const app = await createTestApp(t, {
    models: [{ name: 'one' }, { name: 'two', version: 1 }, { name: 'two', version: 2 }],
  });
  const answering = async (url: string) => (await postImage(app, url, bright)).json().model;
  t.match(await answering('/predict?model=one&top=1'), { name: 'one', version: 1 });
  t.match(await answering('/models/two/predict?top=1'), { name: 'two', version: 2 });
  t.match(await answering('/models/two/versions/1/predict?top=1'), { name: 'two', version: 1 });
});

t.test("every response has a request id: the client's own if it is valid", async (t) => {
  const app = await createTestApp(t);
  const ids = async (given: string) => {
    const response = await app.inject({ url: '/health/live', headers: { 'x-request-id': given } });
    return response.headers['x-request-id'];
  };
  t.equal(await ids('trace-1'), 'trace-1');
  t.match(await ids('<script>'), /^[\da-f-]{36}$/);
});

t.test('if the client closes its connection, its image is dropped', async (t) => {
  const pipeline = new EventEmitter();
  const app = await createFakeApp(t, (_bytes, { signal } = {}) => {
    pipeline.emit('started');
    return new Promise((_, reject) => {
      signal?.addEventListener('abort', () => {
        pipeline.emit('aborted');
        reject(signal.reason);
      });
    });
  });
  const [started, aborted] = [once(pipeline, 'started'), once(pipeline, 'aborted')];
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const controller = new AbortController();
  const answer = fetch(`${url}/predict`, {
    method: 'POST',
    body: new Uint8Array(bright),
    signal: controller.signal,
  });
  await started;
  controller.abort();
  await t.rejects(answer, { name: 'AbortError' });
  await aborted;
  t.pass('the pipeline was told');
});

t.test('?timings=true adds the times in milliseconds and nothing else', async (t) => {
  const app = await createTestApp(t);
  const answer = (await postImage(app, '/predict?timings=true', bright)).json();
  t.same(Object.keys(answer), ['category', 'timings']);
  t.same(Object.keys(answer.timings), ['uploadMs', 'queueMs', 'decodeMs', 'inferenceMs']);
  t.ok(Object.values(answer.timings).every((ms) => typeof ms === 'number' && ms >= 0 && ms < 60_000));
  t.equal((await postImage(app, '/predict?timings=false', bright)).body, '{"category":"bright"}');
});

t.test('a preview is the image that the model sees, and it fails like a prediction', async (t) => {
  const app = await createTestApp(t);
  for (const path of ['/models/brightness/preview', '/models/brightness/versions/1/preview']) {
    const response = await postImage(app, path, await jpeg(56, 28, 90));
    t.equal(response.headers['content-type'], 'image/png');
    const picture = unpackPng(response.rawPayload, grayInput);
    t.same([picture?.[0], picture?.[14 * 28]], [0, 90], 'padded with black');
  }
  t.equal((await postImage(app, '/models/none/preview', bright)).statusCode, 404);
  t.equal((await postImage(app, '/models/brightness/preview', truncatedPng())).statusCode, 422);
});

t.test(
  "x-request-timeout-ms limits the time for the image, but not beyond the server's own limit",
  async (t) => {
    const asked: number[] = [];
    const answer = { model: { name: 'a', version: 1, variant: 'float32' as const }, predictions: [] };
    const app = await createFakeApp(
      t,
      async (_bytes, { deadline = Infinity } = {}) => {
        asked.push(deadline - monotonicMs());
        return { ...answer, timings: { queueMs: 0, decodeMs: 0, inferenceMs: 0 } };
      },
      { deadlineMs: 5000 },
    );
    const post = (timeout?: string) =>
      app.inject({
        method: 'POST',
        url: '/predict',
        headers: { 'content-type': 'image/png', ...(timeout && { 'x-request-timeout-ms': timeout }) },
        payload: bright,
      });
    await post();
    await post('60000');
    await post('3000');
    const [first = 0, second = 0, third = 0] = asked;
    for (const left of [first, second]) t.ok(left <= 5000 && left > 3000, `${left} ms of the server's 5000`);
    t.ok(third > 0 && third < 3000, 'less the time that the upload took');
    for (const wrong of ['0', 'soon']) {
      const response = await post(wrong);
      t.match(response.json(), { code: 'bad_request', detail: /x-request-timeout-ms/ }, wrong);
    }
  },
);

t.test('a request whose deadline passes before its image runs is 504', async (t) => {
  const app = await createTestApp(t, { deadlineMs: 1 });
  const photo = await jpeg(2000, 2000, 90);
  t.match((await postImage(app, '/predict', photo)).json(), { code: 'deadline_exceeded', status: 504 });
});
