import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t, { type Test } from 'tap';
import { type BenchFlags, runBench } from '../../src/cli/bench.js';
import { CommandFailedError, WrongUseError } from '../../src/cli/errors.js';
import type { InputContract } from '../../src/inference/image/contract.js';
import { decodeImage } from '../../src/inference/image/decode.js';
import { deadUrl, fakeServer, problem } from '../client/fake-server.js';
import { grayInput } from '../helpers/fixture-model.js';
import { solidPng } from '../helpers/images.js';
import { createTestApp } from '../helpers/service.js';
import { fakeIo } from './fake-io.js';

const quick: BenchFlags = { images: [], connections: 2, duration: 0.3, warmUp: 0, timeout: 10 };
const samples = { 'dark-1.png': solidPng(28, 28, 10), 'bright-1.png': solidPng(28, 28, 240) };

async function bench(
  t: Test,
  url: string,
  flags: Partial<BenchFlags> = {},
  files: Record<string, Buffer> = samples,
) {
  const folder = path.join(t.testdirName, 'imgs');
  await mkdir(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) await writeFile(path.join(folder, name), bytes);
  const io = fakeIo();
  const given = { ...quick, images: [folder], ...flags };
  const thrown: unknown = await runBench(url, given, io).catch((error: unknown) => error);
  return { out: io.out(), thrown, folder };
}

t.test('a closed loop reports requests, latencies and accuracy', async (t) => {
  const app = await createTestApp(t);
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const { out, thrown } = await bench(t, url);
  t.equal(thrown, undefined);
  const [title, requests, latency, accuracy, ...rest] = out.split('\n');
  t.match(title, /^http:\/\/127\.0\.0\.1:\d+: closed loop over 2 connections, 2 images in turn, 0\.\d s$/);
  t.match(requests, /^\d+ requests: \d+ succeeded \(\d+\.\d\/s\), 0 failed$/);
  t.match(
    latency,
    /^latency p50 \d+\.\d ms, p95 \d+\.\d ms, p99 \d+\.\d ms, max \d+\.\d ms, mean \d+\.\d ms$/,
  );
  t.equal(accuracy, 'accuracy 100.0 %: 2 of 2 images whose name gives the category');
  t.strictSame(rest, ['']);
});

t.test('a server that requires a key accepts a client with the key', async (t) => {
  const apiKey = 'a-key-of-some-length';
  const app = await createTestApp(t, { apiKeys: [apiKey] });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  t.match((await bench(t, url)).thrown, { code: 'unauthorised' });
  const { out, thrown } = await bench(t, url, { apiKey });
  t.equal(thrown, undefined);
  t.match(out, /, 0 failed/);
});

t.test('--json has the same figures, and images with an incorrect name lower the accuracy', async (t) => {
  const app = await createTestApp(t);
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const files = { ...samples, 'dark-2.png': solidPng(28, 28, 240), 'photo.png': solidPng(28, 28, 240) };
  const { out } = await bench(t, url, { json: true, rate: 100 }, files);
  const report = JSON.parse(out);
  t.match(report, { url, loop: 'open', rate: 100, connections: 2, images: 4, requests: 30, answered: 30 });
  t.match(report, { failed: 0, errors: {}, changing: 0 });
  t.strictSame(report.accuracy, { correct: 2, known: 3, top1: 2 / 3 });
  const { p50, p95, p99, max } = report.latencyMs;
  t.ok(p50 > 0 && p50 <= p95 && p95 <= p99 && p99 <= max);
});

t.test('errors are counted by code', async (t) => {
  const app = await createTestApp(t);
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const files = { ...samples, 'bright-2.png': Buffer.from('no image') };
  const { out, thrown } = await bench(t, url, { json: true, rate: 100 }, files);
  t.equal(thrown, undefined);
  t.match(JSON.parse(out), { requests: 30, answered: 20, failed: 10, errors: { unsupported_type: 10 } });
});

t.test('the command fails after the report if no request succeeded', async (t) => {
  const { url } = await fakeServer(t, {
    intercept: ({ method }) => (method === 'POST' ? problem(503, 'not_ready', 'loading') : undefined),
  });
  const { out, thrown } = await bench(t, url, { rate: 20 });
  t.match(out, /^6 requests: 0 succeeded \(0\.0\/s\), 6 failed\n {2}6 not_ready$/m);
  t.ok(thrown instanceof CommandFailedError);
});

t.test('a response that is not from a Quati server is counted by its status', async (t) => {
  const { url } = await fakeServer(t, {
    intercept: ({ method }) =>
      method === 'POST' ? { status: 502, body: '<h1>Bad Gateway</h1>' } : undefined,
  });
  const { out } = await bench(t, url, { rate: 20 });
  t.match(out, /^ {2}6 http_502$/m);
});

t.test('an image that gets several categories is reported', async (t) => {
  const { url } = await fakeServer(t, {
    intercept: ({ method }, nth) =>
      method === 'POST' ? { body: { category: nth % 4 < 2 ? 'dark' : 'bright' } } : undefined,
  });
  const { out } = await bench(t, url, { connections: 1, rate: 50 });
  t.match(out, /^2 images got different categories at different times$/m);
});

t.test('--plot draws a PNG', async (t) => {
  const app = await createTestApp(t);
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const plot = path.join(t.testdirName, 'load.png');
  const { out } = await bench(t, url, { plot });
  t.match(out, new RegExp(`^${plot}$`, 'm'));
  const seen: InputContract = { ...grayInput, width: 100, height: 50, fit: 'fill' };
  const { data } = await decodeImage(await readFile(plot), seen, { maxPixels: 1e7 });
  t.ok(new Set(data).size > 10, 'there is something on it');
});

t.test('a missing server, image or model is reported before any image is sent', async (t) => {
  const url = await deadUrl();
  t.match((await bench(t, url)).thrown, { name: 'ServerUnreachableError' });
  t.ok((await bench(t, url, { images: ['nowhere/'] })).thrown instanceof WrongUseError);
  const server = await fakeServer(t);
  const { thrown } = await bench(t, server.url, { model: 'cats' });
  t.match(thrown, { message: 'no model has the name cats; the models are mnist' });
  t.strictSame(server.requests, ['GET /models']);
});
