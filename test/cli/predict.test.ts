import path from 'node:path';
import t, { type Test } from 'tap';
import { WrongUseError } from '../../src/cli/errors.js';
import { type PredictFlags, runPredict } from '../../src/cli/predict.js';
import {
  type Answer,
  deadUrl,
  type FakeServerOptions,
  fakeServer,
  prediction,
  problem,
  type Upload,
} from '../client/fake-server.js';
import { gif, png } from '../helpers/images.js';
import { type FakeIoOptions, fakeIo } from './fake-io.js';

const digit = png(28, 28, 1, new Uint8Array(28 * 28).fill(200));

interface Setup extends FakeServerOptions, FakeIoOptions {
  files?: Parameters<Test['testdir']>[0];
  flags?: Partial<PredictFlags>;
  paths?: string[];
}

async function predict(t: Test, setup: Setup = {}) {
  const { files = { mnist: { '7-1.png': digit, '7-2.png': digit, '8-1.png': digit } } } = setup;
  const root = t.testdir({ imgs: files });
  t.chdir(root);
  const io = fakeIo(setup);
  const server = await fakeServer(t, setup);
  const flags = { url: server.url, concurrency: 4, top: 1, picture: true, ...setup.flags };
  const thrown: unknown = await runPredict(setup.paths ?? ['imgs/'], flags, io).catch(
    (error: unknown) => error,
  );
  return { io, out: io.out(), err: io.err(), thrown, requests: server.requests };
}

t.test(
  'each image has a line in the order of the files, even if responses arrive in another order',
  async (t) => {
    const { out, err, thrown } = await predict(t, {
      predict: async ({ filename }) => {
        if (filename === '7-1.png') await new Promise((resolve) => setTimeout(resolve, 50));
        return prediction('7', 'mnist', 0.987);
      },
    });
    const lines = out.split('\n');
    t.match(lines, [
      /^imgs\/mnist\/7-1\.png {2}7 {2}98\.7 % {2}\d+\.\d ms$/,
      /^imgs\/mnist\/7-2\.png {2}7 {2}98\.7 % {2}\d+\.\d ms$/,
      /^imgs\/mnist\/8-1\.png {2}7 {2}98\.7 % {2}\d+\.\d ms {2}expected 8$/,
      /^3 images: 3 ok, 0 failed, \d+\.\d images\/s, latency p50 \d+\.\d ms, p95 \d+\.\d ms$/,
      'accuracy 66.7 %: 2 of 3 whose name gives the category',
      '',
    ]);
    t.equal(err, '');
    t.equal(thrown, undefined);
  },
);

t.test('images in a folder with a model’s name go to that model, others to the default', async (t) => {
  const { requests } = await predict(t, {
    models: { mnist: ['7', '8'], cats: ['cat', 'dog'] },
    files: { mnist: { '7-1.png': digit }, cats: { dog: { 'a.png': digit } }, 'x.png': digit },
    flags: { concurrency: 1 },
  });
  t.strictSame(requests, [
    'GET /models',
    'POST /models/cats/predict?top=1',
    'POST /models/mnist/predict?top=1',
    'POST /predict?top=1',
  ]);
});

t.test('a GIF in a folder is posted, because the server accepts it', async (t) => {
  const { requests, out } = await predict(t, { files: { mnist: { '7-1.gif': gif() } } });
  t.strictSame(requests, ['GET /models', 'POST /models/mnist/predict?top=1']);
  t.match(out, /^imgs\/mnist\/7-1\.gif {2}/);
});

t.test('--model uses that model for every image', async (t) => {
  const { requests } = await predict(t, {
    models: { mnist: ['7', '8'], other: ['a', 'b'] },
    flags: { model: 'other' },
  });
  t.strictSame(new Set(requests.slice(1)), new Set(['POST /models/other/predict?top=1']));
});

t.test('--model with a name that the server lacks is one error, before any image is posted', async (t) => {
  const { requests, thrown, out } = await predict(t, { flags: { model: 'nope' } });
  t.match(thrown, {
    name: 'CommandFailedError',
    message: /no model has the name nope; the models are mnist$/,
  });
  t.strictSame(requests, ['GET /models']);
  t.equal(out, '');
});

t.test('--top prints the further categories below', async (t) => {
  const { out, requests } = await predict(t, {
    files: { 'x.png': digit },
    flags: { top: 2 },
    predict: () => {
      const answer = prediction('7') as Answer & { body: { predictions: object[] } };
      answer.body.predictions.push({ category: '1', confidence: 0.08 });
      return answer;
    },
  });
  t.match(out, /^imgs\/x\.png {2}7 {2}90\.0 % .*\n {2}1 {2}8\.0 %\n1 image: /);
  t.equal(requests[1], 'POST /predict?top=2');
});

t.test('if no name gives a category, no accuracy is shown', async (t) => {
  const { out } = await predict(t, { files: { 'x.png': digit } });
  t.notMatch(out, /accuracy/);
});

t.test(
  'a failed image is reported on stderr, the others continue, and the command fails at the end',
  async (t) => {
    const { out, err, thrown } = await predict(t, {
      predict: ({ filename }) =>
        filename === '7-2.png' ? problem(422, 'undecodable_image', 'It ends early') : prediction('7'),
    });
    t.equal(err, 'imgs/mnist/7-2.png: It ends early (undecodable_image, status 422)\n');
    t.match(out, /7-1\.png.*\n.*8-1\.png.*\n3 images: 2 ok, 1 failed/);
    t.match(thrown, { name: 'CommandFailedError', message: '1 of 3 images failed' });
  },
);

t.test('a file that cannot be read is a failed image', async (t) => {
  const { out, err, thrown } = await predict(t, {
    files: { 'a.png': t.fixture('symlink', 'nowhere'), 'b.png': digit },
  });
  t.match(err, /^imgs\/a\.png: ENOENT/);
  t.match(out, /2 images: 1 ok, 1 failed/);
  t.match(thrown, { message: '1 of 2 images failed' });
});

t.test('a model that is listed as not ready gets one request per image', async (t) => {
  const { requests, thrown } = await predict(t, {
    notReady: ['mnist'],
    predict: () => problem(503, 'not_ready', 'its golden scores moved', { 'retry-after': '0' }),
  });
  t.equal(requests.length, 4);
  t.match(thrown, { message: '3 of 3 images failed' });
});

t.test('when all images fail the summary has no latency', async (t) => {
  const { out, thrown } = await predict(t, { predict: () => problem(415, 'unsupported_type', 'no image') });
  t.equal(out, '3 images: 0 ok, 3 failed\n');
  t.match(thrown, { message: '3 of 3 images failed' });
});

t.test('--json prints one document with results and summary, and nothing else to stdout', async (t) => {
  const { out, err, thrown } = await predict(t, {
    flags: { json: true },
    colourLevel: 3,
    predict: ({ filename }) =>
      filename === '8-1.png' ? problem(422, 'undecodable_image', 'It ends early') : prediction('7'),
  });
  const { results, summary } = JSON.parse(out);
  t.match(results, [
    {
      file: path.join('imgs', 'mnist', '7-1.png'),
      category: '7',
      confidence: 0.9,
      predictions: [{ category: '7', confidence: 0.9 }],
      model: { name: 'mnist', version: 1, variant: 'int8' },
      latencyMs: Number,
      expected: '7',
      correct: true,
    },
    { file: path.join('imgs', 'mnist', '7-2.png') },
    {
      file: path.join('imgs', 'mnist', '8-1.png'),
      error: { status: 422, code: 'undecodable_image', detail: 'It ends early', requestId: 'req-1' },
    },
  ]);
  t.match(summary, {
    images: 3,
    ok: 2,
    failed: 1,
    imagesPerSecond: Number,
    latencyMs: { p50: Number, p95: Number },
    accuracy: { correct: 2, known: 2, top1: 1 },
  });
  t.match(err, /8-1\.png: It ends early/);
  t.match(thrown, { message: '1 of 3 images failed' });
});

t.test('if colours are supported, each image is drawn next to its lines', async (t) => {
  const { out } = await predict(t, { files: { mnist: { '7-1.png': digit } }, colourLevel: 3 });
  const lines = out.split('\n');
  t.equal(lines.filter((line) => line.includes('▀')).length, 7);
  t.match(lines[0], /▀.* {2}imgs\/mnist\/7-1\.png$/);
  t.match(lines[1], /▀.*7.* {2}90\.0 %/);
});

t.test('with --no-picture, or for an image that cannot be drawn, only the line is printed', async (t) => {
  const without = await predict(t, { colourLevel: 3, flags: { picture: false } });
  t.notMatch(without.out, /▀/);
  const unknown = await predict(t, { colourLevel: 3, files: { 'a.png': 'no image' } });
  t.notMatch(unknown.out, /▀/);
  t.match(unknown.out, /^imgs\/a\.png/);
});

t.test('on a terminal the bar counts the images on stderr', async (t) => {
  const { err, out } = await predict(t, { terminal: true });
  t.match(err, /predict █+░* 2\/3/);
  t.notMatch(out, /█/);
});

t.test('control characters of a server or a file name do not reach the terminal', async (t) => {
  const { out } = await predict(t, {
    files: { 'a\x1b[2J.png': digit },
    predict: () => prediction('7\x1b[31m'),
  });
  t.notOk(out.includes('\x1b'));
  t.match(out, 'a?[2J.png  7?[31m');
});

t.test('no more requests are in progress than --concurrency allows', async (t) => {
  let [now, most] = [0, 0];
  const names = Array.from({ length: 12 }, (_, index) => [`${index}.png`, digit]);
  await predict(t, {
    files: Object.fromEntries(names),
    flags: { concurrency: 3 },
    predict: async () => {
      now++;
      most = Math.max(most, now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      now--;
      return prediction('7');
    },
  });
  t.ok(most > 1 && most <= 3, `at most ${most} at once`);
});

t.test('an unreachable server is one error, for any number of images', async (t) => {
  const { thrown, out, err } = await predict(t, { flags: { url: await deadUrl() } });
  t.match(thrown, { name: 'ServerUnreachableError', message: /no server responds.*npm start/ });
  t.equal(out, '');
  t.equal(err, '');
});

t.test('a server that stops ends the run with one error and a summary of the finished images', async (t) => {
  const root = t.testdir({ a: { '1.png': digit, '2.png': digit, '3.png': digit, '4.png': digit } });
  const io = fakeIo();
  const server = await fakeServer(t);
  const flags = { url: server.url, concurrency: 1, top: 1, picture: false };
  let asked = 0;
  const goesAway: typeof fetch = (url, init) =>
    ++asked > 3 ? Promise.reject(new TypeError('fetch failed', { cause: refused })) : fetch(url, init);
  const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  await t.rejects(runPredict([root], flags, io, { fetch: goesAway }), { name: 'ServerUnreachableError' });
  t.match(io.out(), /4 images: 2 ok, 0 failed/);
  t.equal(io.err(), '');
});

t.test('Ctrl-C ends the run with a summary of the finished images', async (t) => {
  const root = t.testdir({ a: { '1.png': digit, '2.png': digit, '3.png': digit } });
  const io = fakeIo();
  const uploads: Upload[] = [];
  const { url } = await fakeServer(t, {
    predict: (upload) => {
      uploads.push(upload);
      if (uploads.length === 1) return prediction('7');
      io.interrupt();
      return new Promise<never>(() => undefined);
    },
  });
  const flags = { url, concurrency: 1, top: 1, picture: false };
  await t.rejects(runPredict([root], flags, io), { name: 'AbortError' });
  t.match(io.out(), /3 images: 1 ok, 0 failed/);
});

t.test('a path without images is wrong use, before any request', async (t) => {
  const { thrown, requests } = await predict(t, { files: {} });
  t.ok(thrown instanceof WrongUseError);
  t.strictSame(requests, []);
});
