// Submitted images and a fake run → the batches that ran, and the result of each image.
import { setImmediate as nextTick } from 'node:timers/promises';
import t from 'tap';
import {
  type BatcherOptions,
  createBatcher,
  type Lane,
  type SubmitOptions,
} from '../../src/inference/batcher.js';
import {
  DeadlineExceededError,
  DrainingError,
  QueueFullError,
  WorkerLostError,
  WorkersUnavailableError,
} from '../../src/inference/errors.js';

/** A run that finishes when the test resolves it. The result of each item is its double. */
function manualRun() {
  const started: { model: string; items: number[]; finish: () => void; fail: (error: Error) => void }[] = [];
  const run = (model: string, items: number[]) =>
    new Promise<number[]>((resolve, reject) => {
      const finish = () => resolve(items.map((item) => item * 2));
      started.push({ model, items, finish, fail: reject });
    });
  return { started, run };
}

type Run = (model: string, items: number[]) => Promise<(number | Error)[]>;

/** Lanes with workers that are always free, so that only `workers` limits the running batches. */
function createLanes(run: Run) {
  const lanes = new Map<string, Lane<number, number>>();
  return (key: string) => {
    const lane = lanes.get(key) ?? { key, take: () => (items: number[]) => run(key, items) };
    lanes.set(key, lane);
    return lane;
  };
}

function setUp({ run, ...options }: Partial<BatcherOptions<number>> & { run?: Run } = {}) {
  const manual = manualRun();
  const laneOf = createLanes(run ?? manual.run);
  const clock = { now: 0 };
  const batcher = createBatcher<number, number>({
    workers: 1,
    maxBatch: 4,
    maxQueueImages: 8,
    now: () => clock.now,
    ...options,
  });
  const submit = (model: string, item: number, options?: SubmitOptions) =>
    batcher.submit(laneOf(model), item, options);
  return { batcher, submit, started: manual.started, clock };
}

t.test('the waiting images are listed by model, oldest first', async (t) => {
  const { batcher, submit, started } = setUp();
  const answers = ['a', 'a', 'b', 'a'].map((model, i) => submit(model, i));
  t.same(batcher.queued(), [
    { first: 1, images: 2 },
    { first: 2, images: 1 },
  ]);
  for (let i = 0; i < 3; i++) {
    started[i]?.finish();
    await nextTick();
  }
  await Promise.all(answers);
  t.same(batcher.queued(), []);
});

t.test('an image runs at once and alone if a worker is free', async (t) => {
  const { batcher, submit, started } = setUp();
  const answer = submit('a', 21);
  t.match(started, [{ model: 'a', items: [21] }]);
  t.equal(batcher.waiting, 0);
  started[0]?.finish();
  t.equal(await answer, 42);
  t.equal(batcher.running, 0);
});

t.test('a worker that becomes free takes all waiting images in order, up to maxBatch', async (t) => {
  const { submit, started } = setUp();
  const answers = [1, 2, 3, 4, 5, 6, 7].map((item) => submit('a', item));
  for (let i = 0; i < 3; i++) {
    started[i]?.finish();
    await nextTick();
  }
  t.same(
    started.map(({ items }) => items),
    [[1], [2, 3, 4, 5], [6, 7]],
  );
  t.same(await Promise.all(answers), [2, 4, 6, 8, 10, 12, 14]);
});

t.test('the model with the oldest image is next, and a batch holds images of one model', async (t) => {
  const { submit, started } = setUp();
  const answers = [submit('a', 1), submit('b', 2), submit('a', 3), submit('b', 4)];
  for (let i = 0; i < 3; i++) {
    started[i]?.finish();
    await nextTick();
  }
  await Promise.all(answers);
  t.same(
    started.map(({ model, items }) => [model, items]),
    [
      ['a', [1]],
      ['b', [2, 4]],
      ['a', [3]],
    ],
  );
});

t.test('the queue is limited over all models, and accepts images again when it has space', async (t) => {
  const { submit, started } = setUp({ maxQueueImages: 2 });
  const answers = [submit('a', 1), submit('a', 2), submit('b', 3)];
  await t.rejects(submit('c', 4), QueueFullError);
  started[0]?.finish();
  await nextTick();
  answers.push(submit('c', 5));
  for (const index of [1, 2, 3]) {
    await nextTick();
    started[index]?.finish();
  }
  t.same(await Promise.all(answers), [2, 4, 6, 10]);
});

t.test('the queue is also limited in bytes, but a single image may be larger', async (t) => {
  const { batcher, submit, started } = setUp({ maxQueueBytes: 10, bytesOf: (item) => item });
  const answers = [submit('a', 1), submit('a', 11)];
  await t.rejects(submit('b', 1), {
    name: 'QueueFullError',
    message: /holds images of 11 bytes.* 10$/,
  });
  started[0]?.finish();
  await nextTick();
  answers.push(submit('a', 4), submit('b', 6));
  t.throws(() => batcher.checkRoom(1, 1), QueueFullError);
  for (const index of [1, 2, 3]) {
    started[index]?.finish();
    await nextTick();
  }
  t.same(await Promise.all(answers), [2, 22, 8, 12]);
});

t.test(
  'images run at once only as far as their memory allows, and the first in line is not overtaken',
  async (t) => {
    const { batcher, submit, started } = setUp({ workers: 3, maxRunningCost: 100, costOf: (item) => item });
    const answers = [60, 50, 10].map((cost, i) => submit(['a', 'b', 'c'][i] as string, cost));
    t.same(
      started.map(({ items }) => items),
      [[60]],
      '50 does not fit, and 10 waits behind it',
    );
    started[0]?.finish();
    await nextTick();
    t.same(
      started.slice(1).map(({ items }) => items),
      [[50], [10]],
    );
    for (const { finish } of started) finish();
    await Promise.all(answers);
    t.equal(batcher.running, 0);
  },
);

t.test("a batch takes no more memory than its worker's share, but for one image alone", async (t) => {
  const { submit, started } = setUp({ workers: 2, maxRunningCost: 100, costOf: (item) => item });
  const answers = [90, 20, 20, 20, 20].map((cost) => submit('a', cost));
  started[0]?.finish();
  await nextTick();
  t.same(
    started.map(({ items }) => items),
    [[90], [20, 20], [20, 20]],
  );
  for (const { finish } of started) finish();
  await Promise.all(answers);
});

t.test('an image whose deadline passes while it waits is never run', async (t) => {
  const { submit, started, clock } = setUp();
  const first = submit('a', 1, { deadline: 100 });
  const late = submit('a', 2, { deadline: 100 });
  const patient = submit('a', 3, { deadline: 300 });
  clock.now = 200;
  started[0]?.finish();
  await t.rejects(late, DeadlineExceededError);
  t.same(started[1]?.items, [3]);
  started[1]?.finish();
  t.same(await Promise.all([first, patient]), [2, 6]);
});

t.test(
  'an aborted image leaves the queue and frees its place; a running image gets its result',
  async (t) => {
    const { batcher, submit, started } = setUp({ maxQueueImages: 1 });
    const controller = new AbortController();
    const first = submit('a', 1, { signal: controller.signal });
    const gone = submit('a', 2, { signal: controller.signal });
    controller.abort(new Error('client gone'));
    await t.rejects(gone, { message: 'client gone' });
    t.equal(batcher.waiting, 0);
    const next = submit('a', 3);
    started[0]?.finish();
    await nextTick();
    started[1]?.finish();
    t.same(await Promise.all([first, next]), [2, 6]);
    t.same(started[1]?.items, [3]);
    await t.rejects(submit('a', 4, { signal: controller.signal }), { message: 'client gone' });
  },
);

t.test('a waiting image fails at its deadline, before a worker becomes free', async (t) => {
  const { batcher, submit, started } = setUp({ now: () => performance.now() });
  const first = submit('a', 1);
  await t.rejects(submit('a', 2, { deadline: performance.now() + 20 }), DeadlineExceededError);
  t.equal(batcher.waiting, 0);
  started[0]?.finish();
  t.equal(await first, 2);
  t.equal(started.length, 1);
});

t.test('a full queue reports the expected wait, estimated from earlier images', async (t) => {
  const { batcher, submit, started, clock } = setUp({ maxQueueImages: 4, workers: 2 });
  const answers = [submit('a', 1), submit('b', 2)];
  clock.now = 600;
  started[0]?.finish();
  await answers[0];
  clock.now = 3000;
  started[1]?.finish();
  await answers[1];
  for (const model of ['a', 'b', 'a', 'a', 'b', 'b']) submit(model, 3).catch(() => {});
  // Two of a at 600 ms and two of b at 3,000 wait, for two workers.
  const refused = await submit('a', 9).catch((error: unknown) => error);
  t.ok(refused instanceof QueueFullError && refused.retryAfterMs === 3600);
  t.throws(() => batcher.checkRoom(1, 0), QueueFullError);
});

t.test('batches of a slow model are smaller, so that they take at most maxBatchMs', async (t) => {
  const { submit, started, clock } = setUp({ maxBatchMs: 250 });
  const answers = [1, 2, 3, 4, 5].map((item) => submit('slow', item));
  clock.now = 100;
  for (let i = 0; i < 3; i++) {
    started[i]?.finish();
    await nextTick();
    clock.now += 200;
  }
  await Promise.all(answers);
  t.same(
    started.map(({ items }) => items),
    [[1], [2, 3], [4, 5]],
  );
});

t.test('a batch whose worker was lost runs again, image by image, before later images', async (t) => {
  const { submit, started } = setUp({ workers: 2 });
  const first = submit('a', 1);
  const other = submit('b', 2);
  const answers = [3, 4].map((item) => submit('a', item));
  started[0]?.finish();
  await first;
  const later = submit('a', 5);
  started[2]?.fail(new WorkerLostError('gone'));
  await nextTick();
  t.same(started[3]?.items, [3]);
  started[3]?.fail(new WorkerLostError('gone again'));
  await t.rejects(answers[0] as Promise<number>, { constructor: WorkerLostError, message: 'gone again' });
  t.same(started[4]?.items, [4]);
  started[4]?.finish();
  t.equal(await answers[1], 8);
  t.same(started[5]?.items, [5]);
  for (const index of [5, 1]) started[index]?.finish();
  t.same(await Promise.all([other, later]), [4, 10]);
});

t.test('images of other models run before an image whose model has no free worker', async (t) => {
  const { batcher, submit, started } = setUp({ workers: 2 });
  let free = false;
  const held: Lane<number, number> = {
    key: 'held',
    take: () => (free ? async (items) => items.map((item) => -item) : undefined),
  };
  const waits = batcher.submit(held, 7);
  const passes = submit('a', 1);
  t.match(started, [{ model: 'a', items: [1] }]);
  free = true;
  batcher.dispatch();
  t.equal(await waits, -7);
  started[0]?.finish();
  t.equal(await passes, 2);
});

t.test('if no worker can be started, all waiting images fail at once', async (t) => {
  const { batcher } = setUp();
  let broken = false;
  const lane: Lane<number, number> = {
    key: 'a',
    take() {
      if (broken) throw new WorkersUnavailableError('none starts');
      return undefined;
    },
  };
  const answers = [1, 2].map((item) => batcher.submit(lane, item));
  broken = true;
  batcher.dispatch();
  for (const answer of answers) await t.rejects(answer, WorkersUnavailableError);
  await t.rejects(batcher.submit(lane, 3), WorkersUnavailableError);
  t.equal(batcher.waiting, 0);
});

t.test('a result that is an error fails only its own image', async (t) => {
  const run = async (_: string, items: number[]) =>
    items.map((item) => (item === 2 ? new Error('damaged') : item));
  const { submit } = setUp({ run });
  const [first, second, third] = [1, 2, 3].map((item) => submit('a', item));
  await t.rejects(second as Promise<number>, { message: 'damaged' });
  t.same(await Promise.all([first, third]), [1, 3]);
});

t.test('a batch that fails fails only its own images, and the next batch runs', async (t) => {
  const { submit, started } = setUp();
  const failed = submit('a', 1);
  const next = submit('a', 2);
  started[0]?.fail(new Error('broken'));
  await t.rejects(failed, { message: 'broken' });
  started[1]?.finish();
  t.equal(await next, 4);
});

t.test('a run that returns too few results fails the batch', async (t) => {
  const { submit } = setUp({ run: async () => [] });
  await t.rejects(submit('a', 1), { message: 'Batch: expected 1 results, got 0' });
});

t.test('close refuses new images and waits for the accepted ones', async (t) => {
  const { batcher, submit, started } = setUp();
  const answers = [submit('a', 1), submit('a', 2)];
  let closed = false;
  const closing = batcher.close().then(() => {
    closed = true;
  });
  await t.rejects(submit('a', 3), DrainingError);
  started[0]?.finish();
  await nextTick();
  t.notOk(closed);
  started[1]?.finish();
  await closing;
  t.same(await Promise.all(answers), [2, 4]);
});

t.test('close of an idle batcher resolves', async () => {
  await setUp().batcher.close();
});

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
  t.test(`random traffic keeps the guarantees of the batcher (seed ${seed})`, async (t) => {
    const random = generator(seed);
    const workers = 1 + Math.floor(random() * 3);
    const maxBatch = 1 + Math.floor(random() * 5);
    const maxQueueImages = 1 + Math.floor(random() * 10);
    const ran: number[] = [];
    let running = 0;
    let cost = 0;
    const maxRunningCost = 5 + Math.floor(random() * 20);
    const costOf = (item: number) => item % 5;
    const costs = { maxRunningCost, costOf };
    const batcher = createBatcher<number, number>({ workers, maxBatch, maxQueueImages, ...costs });
    const laneOf = createLanes(async (model, items) => {
      running++;
      const own = items.reduce((total, item) => total + costOf(item), 0);
      cost += own;
      if (cost > maxRunningCost) t.fail('more memory is taken than allowed');
      if (running > workers) t.fail('more batches run than there are workers');
      if (items.length > maxBatch) t.fail('a batch is larger than maxBatch');
      if (items.some((item) => model !== modelOf(item))) t.fail('a batch holds images of two models');
      ran.push(...items);
      for (let i = random() * 4; i > 0; i--) await nextTick();
      running--;
      cost -= own;
      if (random() < 0.1) throw new Error('broken');
      return items.map((item) => item * 2);
    });
    const outcomes = { answered: 0, aborted: 0, full: 0, broken: 0 };
    const traffic = Array.from({ length: 200 }, async (_, item) => {
      for (let i = random() * 60; i > 0; i--) await nextTick();
      const signal = random() < 0.2 ? AbortSignal.timeout(Math.floor(random() * 3)) : undefined;
      try {
        const answer = await batcher.submit(laneOf(modelOf(item)), item, { signal });
        if (answer !== item * 2) t.fail('an image got the answer of another');
        outcomes.answered++;
      } catch (error) {
        if (error instanceof QueueFullError) outcomes.full++;
        else if ((error as Error).message === 'broken') outcomes.broken++;
        else outcomes.aborted++;
      }
      if (batcher.waiting > maxQueueImages) t.fail('more images wait than allowed');
      const fit = ({ first }: { first: number }) => running === 0 || cost + costOf(first) <= maxRunningCost;
      const fits = batcher.waiting > 0 && batcher.queued().every(fit);
      if (fits && batcher.running < workers) t.fail('an image waits while a worker and memory are free');
    });
    await Promise.all(traffic);
    await batcher.close();
    const { answered, aborted, full, broken } = outcomes;
    t.equal(answered + aborted + full + broken, 200, 'each image has one outcome');
    t.equal(ran.length, new Set(ran).size, 'no image runs twice');
    t.equal(ran.length, answered + broken, 'what was refused or aborted never ran');
  });
}

function modelOf(item: number): string {
  return ['a', 'b', 'c'][item % 3] as string;
}

function generator(seed: number): () => number {
  let state = seed * 2654435761;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
