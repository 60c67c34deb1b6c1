import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { type LoadPlan, type Outcome, runLoad } from '../../src/client/load.js';

const plan: LoadPlan = { connections: 1, seconds: 0.5, warmUpSeconds: 0, timeoutMs: 5000 };
const answer: Outcome = { category: '7' };

t.test(
  'a closed loop has one request in progress per connection, and sends the images in turn',
  async (t) => {
    let underWay = 0;
    let most = 0;
    const { records, seconds } = await runLoad({ ...plan, connections: 3 }, 2, async () => {
      most = Math.max(most, ++underWay);
      await sleep(10);
      underWay--;
      return answer;
    });
    t.equal(most, 3);
    t.ok(records.length > 30 && records.length <= 153, `${records.length} requests`);
    const [first, second] = [0, 1].map((image) => records.filter((record) => record.image === image).length);
    t.ok(Math.abs((first ?? 0) - (second ?? 0)) <= 3, 'each image as often as the other');
    t.ok(seconds >= 0.5);
  },
);

t.test('an open loop sends at its rate, however long responses take', async (t) => {
  const { records } = await runLoad({ ...plan, connections: 100, rate: 100 }, 1, async () => {
    await sleep(300);
    return answer;
  });
  t.equal(records.length, 50);
  t.strictSame(
    records.map(({ dueMs }) => Math.round(dueMs)).sort((a, b) => a - b),
    Array.from({ length: 50 }, (_, i) => i * 10),
  );
});

t.test(
  'latencies of an open loop include the delay of requests that are due while the server stops',
  async (t) => {
    const stall = async () => {
      const start = performance.now();
      let asked = 0;
      const late = () => (asked++ === 0 ? start + 300 - performance.now() : 0);
      return async () => {
        await sleep(late());
        return answer;
      };
    };
    const slow = (records: { latencyMs: number }[]) =>
      records.filter(({ latencyMs }) => latencyMs > 100).length;
    const open = await runLoad({ ...plan, rate: 100 }, 1, await stall());
    t.ok(slow(open.records) >= 18, `${slow(open.records)} were due in the first 200 of the 300 ms`);
    const closed = await runLoad(plan, 1, await stall());
    t.equal(slow(closed.records), 1, 'a closed loop sees one');
  },
);

t.test('a request that gets no connection in time is never sent, and counts as timed out', async (t) => {
  let asked = 0;
  const { records } = await runLoad({ ...plan, rate: 100, timeoutMs: 100 }, 1, async () => {
    if (asked++ === 0) await sleep(400);
    return answer;
  });
  t.equal(records.length, 50);
  const late = records.filter(({ outcome }) => 'code' in outcome && outcome.code === 'timeout').length;
  t.ok(late >= 29, `${late} were due in the first 300 ms`);
  t.equal(asked, 50 - late);
});

t.test('the warm-up is sent and not recorded', async (t) => {
  let asked = 0;
  const { records } = await runLoad({ ...plan, rate: 100, seconds: 0.2, warmUpSeconds: 0.2 }, 1, async () => {
    asked++;
    return answer;
  });
  t.equal(asked, 40);
  t.equal(records.length, 20);
  t.ok(records.every(({ dueMs }) => dueMs >= 0));
});

for (const rate of [undefined, 100])
  t.test(`an abort ends ${rate === undefined ? 'a closed' : 'an open'} loop early`, async (t) => {
    const start = performance.now();
    const signal = AbortSignal.timeout(100);
    const { records } = await runLoad({ ...plan, seconds: 60, rate, signal }, 1, async () => {
      await sleep(5);
      return answer;
    });
    t.ok(performance.now() - start < 5000);
    t.ok(records.length > 0, 'what was measured until then is kept');
  });
