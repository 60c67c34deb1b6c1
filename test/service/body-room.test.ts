// bodies that arrive at the same time → a bound on their bytes, and turns for the large ones.
import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { monotonicMs } from '../../src/inference/clock.js';
import { DeadlineExceededError } from '../../src/inference/errors.js';
import { BodyRoom } from '../../src/service/body-room.js';
import { ProblemError } from '../../src/service/errors.js';
import { createTestApp } from '../helpers/service.js';

const kib = 1024;
const patient = () => ({ signal: new AbortController().signal, deadline: monotonicMs() + 60_000 });

t.test('bodies share one limit; a body that is alone or small is always accepted', async (t) => {
  const room = new BodyRoom(200 * kib);
  const alone = room.hold();
  alone.add(150 * kib);
  alone.add(150 * kib);
  const [small, large] = [room.hold(), room.hold()];
  small.add(64 * kib);
  t.throws(() => small.add(1), {
    code: 'queue_full',
    message: /Other bodies hold 307200 bytes, and 204800 are/,
  });
  large.add(10);
  t.throws(() => large.add(65 * kib), ProblemError);
  alone.release();
  alone.release();
  small.add(64 * kib);
  large.add(65 * kib);
  t.throws(() => large.add(100 * kib), ProblemError, 'the small one holds its bytes');
  large.add(130 * kib);
  t.pass('what was refused holds nothing any more');
});

/** Runs that wait until the test ends them. */
function controlled(room: BodyRoom) {
  const started: number[] = [];
  const ends: (() => void)[] = [];
  const run = (name: number, patience = patient()) =>
    room.inTurn(patience, () => {
      started.push(name);
      return new Promise<number>((resolve) => ends.push(() => resolve(name)));
    });
  return { started, ends, run };
}

t.test('two bodies are parsed at the same time, the others wait in the order of arrival', async (t) => {
  const { started, ends, run } = controlled(new BodyRoom(1));
  const results = [1, 2, 3, 4].map((name) => run(name));
  await nextTurn();
  t.same(started, [1, 2]);
  ends[1]?.();
  await nextTurn();
  t.same(started, [1, 2, 3]);
  for (const end of ends) end();
  await nextTurn();
  ends[3]?.();
  t.same(await Promise.all(results), [1, 2, 3, 4]);
});

t.test('after a body that fails, the next one gets its turn', async (t) => {
  const room = new BodyRoom(1);
  const fail = () => room.inTurn(patient(), () => Promise.reject(new Error('broken')));
  const results = await Promise.allSettled(Array.from({ length: 5 }, fail));
  t.ok(results.every(({ status }) => status === 'rejected'));
  t.equal(await room.inTurn(patient(), async () => 7), 7);
});

t.test('a closed connection or a passed deadline ends the wait without a turn', async (t) => {
  const room = new BodyRoom(1);
  const { started, ends, run } = controlled(room);
  const first = [run(1), run(2)];
  const controller = new AbortController();
  const gone = run(3, { ...patient(), signal: controller.signal });
  const late = run(4, { ...patient(), deadline: monotonicMs() + 20 });
  const before = run(5, { ...patient(), signal: AbortSignal.abort(new Error('gone before')) });
  controller.abort(new Error('gone'));
  await t.rejects(gone, /^gone$|gone/);
  await t.rejects(before, /gone before/);
  await t.rejects(late, DeadlineExceededError);
  for (const end of ends) end();
  await Promise.all(first);
  t.same(started, [1, 2]);
  t.equal(await room.inTurn(patient(), async () => 'free'), 'free');
});

t.test(
  'arriving images share the limit too: one more is refused, and accepted when there is space again',
  async (t) => {
    const app = await createTestApp(t, { maxQueueBytes: 200 * kib });
    const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
    const slow = connect({ port: Number(port), host: '127.0.0.1' });
    slow.write(`POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: ${300 * kib}\r\n\r\n`);
    slow.write(Buffer.alloc(190 * kib));
    const post = async () =>
      (await fetch(`http://127.0.0.1:${port}/predict`, { method: 'POST', body: new Uint8Array(100 * kib) }))
        .status;
    // 415: the upload was accepted, and is not an image.
    while ((await post()) === 415) await nextTurn();
    t.equal(await post(), 429);
    slow.destroy();
    for (let i = 0; i < 1000 && (await post()) === 429; i++) await nextTurn();
    t.equal(await post(), 415);
  },
);
