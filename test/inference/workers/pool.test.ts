// Models and images → scores from worker threads, also when workers stop.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setEnvironmentData } from 'node:worker_threads';
import t from 'tap';
import { createBatcher, type Lane } from '../../../src/inference/batcher.js';
import { errorToMessage, WorkerLostError, WorkersUnavailableError } from '../../../src/inference/errors.js';
import { createPool, type PoolOptions } from '../../../src/inference/workers/pool.js';
import type { RunnerImage, RunnerResult } from '../../../src/inference/workers/runner.js';
import { resultToScores } from '../../../src/inference/workers/wire.js';
import { grayInput, writeFixtureModel } from '../../helpers/fixture-model.js';
import { png, solidPng, truncatedPng } from '../../helpers/images.js';

const workerUrl = new URL('../../helpers/fragile-worker.js', import.meta.url);

function file(bytes: Uint8Array, deadline = Infinity): RunnerImage {
  return { bytes, wanted: 'scores', deadline };
}

/** Runs images through a queue and a pool, like the service does. */
function queuedPool(t: Pick<Tap, 'teardown'>, options: PoolOptions) {
  const pool = createPool({ ...options, onFree: () => batcher.dispatch() });
  const batcher = createBatcher<RunnerImage, RunnerResult>({
    workers: pool.threads,
    maxBatch: 16,
    maxQueueImages: 100,
  });
  const lanes = new Map<string, Lane<RunnerImage, RunnerResult>>();
  const laneOf = (key: string) => {
    const take = () => {
      const run = pool.take();
      return run && ((images: RunnerImage[]) => run(key, images));
    };
    const lane = lanes.get(key) ?? { key, take };
    lanes.set(key, lane);
    return lane;
  };
  const run = (key: string, images: readonly RunnerImage[]): Promise<RunnerResult[]> =>
    Promise.all(
      images.map((image) =>
        batcher.submit(laneOf(key), image).catch((error: Error) => {
          if (images.length === 1 || !(error instanceof WorkerLostError)) throw error;
          return { error: errorToMessage(error), decodeMs: 0 };
        }),
      ),
    );
  t.teardown(() => pool.close());
  return { run, started: pool.started, close: pool.close };
}

function fragilePool(t: Pick<Tap, 'teardown'>, options: Partial<PoolOptions> = {}) {
  const lost: string[] = [];
  const onWorkerLost = (reason: string) => lost.push(reason);
  const pool = queuedPool(t, { models: [], threads: 2, workerUrl, onWorkerLost, ...options });
  return { pool, lost };
}
type Tap = typeof t;

t.test(
  'workers serve the models that they could load, and report why another could not be loaded',
  async (t) => {
    const folder = await writeFixtureModel(t.testdir());
    const good = { key: 'good', file: join(folder, 'float32.onnx'), input: grayInput };
    const pool = queuedPool(t, {
      threads: 2,
      models: [{ ...good, key: 'missing', file: join(folder, 'missing.onnx') }, good],
    });
    const images = [0, 255, 0].map((value) => file(solidPng(28, 28, value)));
    const results = await pool.run('good', images);
    t.same(
      results.map(resultToScores).map(([dark = 0, bright = 0]) => (dark > bright ? 'dark' : 'bright')),
      ['dark', 'bright', 'dark'],
    );
    const error = { name: 'ModelError', message: /cannot be loaded/ };
    t.match(await pool.run('missing', images), [{ error }, { error }, { error }]);
    t.match(await pool.run('good', [{ tensor: new Float32Array(5), deadline: Infinity }]), [
      { error: { name: 'ModelError', message: 'Tensor: expected 1 x 28 x 28 = 784 values, got 5' } },
    ]);
    t.equal((await pool.run('good', images)).length, 3, 'and go on');
  },
);

t.test('a file, its pixels as a tensor, and the file resized by sharp get the same scores', async (t) => {
  const folder = await writeFixtureModel(t.testdir());
  const model = { key: 'good', file: join(folder, 'float32.onnx'), input: grayInput };
  const pool = queuedPool(t, { threads: 1, models: [model] });
  const tensor = new Float32Array(28 * 28).fill(90 / 255);
  const large = png(56, 56, 1, new Uint8Array(56 * 56).fill(90));
  const results = await pool.run('good', [
    file(solidPng(28, 28, 90)),
    { tensor, deadline: Infinity },
    file(large),
    file(truncatedPng()),
    { bytes: large, wanted: 'pixels', deadline: Infinity },
    file(large, -1),
  ]);
  const [exact, given, sized] = results.slice(0, 3).map((result) => [...resultToScores(result)]);
  t.same(given, exact);
  t.same(sized, exact);
  t.match(results.slice(3), [
    { error: { name: 'UndecodableImageError' } },
    { pixels: new Uint8Array(28 * 28).fill(90) },
    { error: { name: 'DeadlineExceededError' } },
  ]);
});

t.test(
  'on Linux the HTTP thread has priority over the workers, at any niceness of the process',
  { skip: process.platform === 'linux' ? false : 'only Linux has priorities of threads' },
  async (t) => {
    const before = priorities();
    const pool = createPool({ models: [], threads: 2 });
    t.teardown(() => pool.close());
    await pool.started();
    const nicer = Math.min(19, getPriority() + 3);
    const count = (all: number[]) => all.filter((priority) => priority === nicer).length;
    t.equal(count(priorities()) - count(before), 2);
    t.equal(getPriority(), priorities()[0], 'the thread that serves keeps its own');
  },
);

/** Returns the niceness of each thread of this process, the main thread first. */
function priorities(): number[] {
  return readdirSync('/proc/self/task').map((thread) => {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
    // The name is in parentheses and may hold any text. In proc(5) nice is the 19th field.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  });
}

t.test(
  'a worker that stops is replaced, its batch runs again, and only a poisoned image fails',
  async (t) => {
    const { pool, lost } = fragilePool(t);
    const images = [1, 255, 3].map((value) => file(Uint8Array.of(value)));
    const [other, results] = await Promise.all([
      pool.run('any', [file(Uint8Array.of(7))]),
      pool.run('any', images),
    ]);
    t.same(other.map(resultToScores), [Float32Array.of(7)]);
    t.same([results[0], results[2]].map(resultToScores), [Float32Array.of(1), Float32Array.of(3)]);
    t.throws(() => resultToScores(results[1]), {
      constructor: WorkerLostError,
      message: 'The inference worker stopped: poisoned',
    });
    t.same(lost, ['poisoned', 'poisoned']);
    const later = await Promise.all([4, 5, 6].map((value) => pool.run('any', [file(Uint8Array.of(value))])));
    t.same(
      later.map(([result]) => [...resultToScores(result)]),
      [[4], [5], [6]],
    );
  },
);

t.test('a worker that does not respond in time is stopped and replaced like a crashed one', async (t) => {
  const { pool } = fragilePool(t, { threads: 1, taskTimeoutMs: 100 });
  await t.rejects(pool.run('any', [file(Uint8Array.of(254))]), WorkerLostError);
  t.same((await pool.run('any', [file(Uint8Array.of(9))])).map(resultToScores), [Float32Array.of(9)]);
});

t.test('a worker that cannot be ended is replaced at once, and counted until it ends', async (t) => {
  const pipe = join(t.testdir(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  setEnvironmentData('pipe', pipe);
  const stuck: number[] = [];
  const options = { threads: 1, taskTimeoutMs: 200, onStuck: (workers: number) => stuck.push(workers) };
  const { pool, lost } = fragilePool(t, options);
  await t.rejects(pool.run('any', [file(Uint8Array.of(253))]), WorkerLostError);
  t.same((await pool.run('any', [file(Uint8Array.of(9))])).map(resultToScores), [Float32Array.of(9)]);
  t.same(lost, ['no answer within 200 ms', 'no answer within 200 ms'], 'it was tried twice');
  t.same(stuck, [1, 2], 'and both threads still read');
  // Both readers get its end.
  await (await open(pipe, 'w')).close();
  while (stuck.length < 4) await sleep(10);
  t.same(stuck, [1, 2, 1, 0]);
});

t.test(
  'workers that stop at their start are restarted after longer and longer waits, and images fail',
  async (t) => {
    const broken = { key: 'broken', file: '', input: grayInput };
    const { pool, lost } = fragilePool(t, { models: [broken], threads: 1 });
    await t.rejects(pool.run('broken', [file(Uint8Array.of(1))]), {
      constructor: WorkersUnavailableError,
      message: 'No inference worker can be started: this worker never starts',
    });
    t.equal(lost.length, 3);
    await t.rejects(pool.run('broken', [file(Uint8Array.of(1))]), WorkersUnavailableError, 'at once');
    t.equal(lost.length, 3, 'without another start');
  },
);

t.test('close stops the workers, and waiting images are refused', async (t) => {
  const { pool, lost } = fragilePool(t, { threads: 1 });
  const [silent, waiting] = [254, 1].map((value) => pool.run('any', [file(Uint8Array.of(value))]));
  await Promise.all([
    t.rejects(silent as Promise<unknown>, WorkerLostError),
    t.rejects(waiting as Promise<unknown>, WorkerLostError),
    pool.close(),
  ]);
  t.same(lost, [], 'and nobody is told that workers were lost');
});
