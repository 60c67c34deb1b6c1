// A variant and images → the peak memory of a process that serves only that variant over HTTP, with one worker.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pMap from 'p-map';
import type { Card } from '../inference/models/card.js';
import type { Split } from '../toolkit/datasets/dataset.js';
import { EvaluationError } from '../toolkit/evaluation/errors.js';
import { variantOfFile } from '../toolkit/evaluation/foreign.js';
import type { Target } from '../toolkit/evaluation/targets.js';
import { sha256Of } from '../toolkit/files.js';
import { encodePng } from '../toolkit/images/png.js';
import type { ServingMessage } from './serving-process.js';

const [posted, concurrency, patienceMs] = [64, 8, 60_000];

/** Posts the first 64 test images, eight at a time. @throws EvaluationError when the process doesn't serve them. */
export async function measurePeakRss(file: string, target: Target, test: Split): Promise<number> {
  const models = await mkdtemp(path.join(tmpdir(), 'quati-'));
  await writeModel(models, file, target);
  const child = fork(new URL('./serving-process.js', import.meta.url), {
    env: { ...withoutSettings(process.env), QUATI_MODELS: models, QUATI_HOST: '127.0.0.1', QUATI_PORT: '0' },
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  try {
    const { url } = await nextMessage(child, 'url', file);
    await pMap(await firstImages(target, test), (image) => post(url, image, file), { concurrency });
    child.send('how much');
    return (await nextMessage(child, 'peakRssBytes', file)).peakRssBytes;
  } finally {
    child.kill();
    await rm(models, { recursive: true, force: true });
  }
}

function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const rest = Object.entries(env).filter(([name]) => !name.startsWith('QUATI_'));
  return { ...Object.fromEntries(rest), QUATI_WORKERS: '1', QUATI_LOG_LEVEL: 'silent' };
}

async function writeModel(models: string, file: string, target: Target): Promise<void> {
  const folder = path.join(models, 'measured', '1');
  await mkdir(folder, { recursive: true });
  const variant = await variantOfFile(file);
  const { size: bytes } = await stat(file);
  const card: Card = {
    name: 'measured',
    title: target.name,
    labels: [...target.labels],
    input: target.input,
    output: target.output,
    defaultVariant: variant,
    variants: { [variant]: { file: 'measured.onnx', bytes, sha256: await sha256Of(file) } },
    golden: [],
  };
  await copyFile(file, path.join(folder, 'measured.onnx'));
  await writeFile(path.join(folder, 'card.json'), JSON.stringify(card));
}

async function firstImages({ input }: Target, test: Split): Promise<Uint8Array[]> {
  const size = test.height * test.width * test.channels;
  const count = Math.min(posted, test.count);
  return await Promise.all(
    Array.from({ length: count }, (_, i) => encodePng(test.images.subarray(i * size, (i + 1) * size), input)),
  );
}

async function post(url: string, image: Uint8Array, file: string): Promise<void> {
  const headers = { 'content-type': 'image/png' };
  const response = await fetch(`${url}/predict`, { method: 'POST', headers, body: Buffer.from(image) });
  const text = await response.text();
  if (!response.ok)
    throw new EvaluationError(`${file}: the serving process responded ${response.status}: ${text}`);
}

type MessageWith<Key extends string> = Extract<ServingMessage, Record<Key, unknown>>;

async function nextMessage<Key extends 'url' | 'peakRssBytes'>(
  child: ChildProcess,
  key: Key,
  file: string,
): Promise<MessageWith<Key>> {
  const signal = AbortSignal.timeout(patienceMs);
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new EvaluationError(`${file}: its serving process exited with code ${code}`);
  });
  const [message] = await Promise.race([once(child, 'message', { signal }), ended]);
  if (key in message) return message as MessageWith<Key>;
  throw new EvaluationError(`${file}: its serving process did not report its ${key}`);
}
