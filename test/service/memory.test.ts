// Limits of memory → the shares of uploads and of decoding.
import { totalmem } from 'node:os';
import t from 'tap';
import { shareMemory } from '../../src/service/memory.js';

const limit = 512 * 2 ** 20;

t.test('the shares fit into the limit, together with the process and its workers', async (t) => {
  for (const workers of [1, 2, 4]) {
    const { maxQueueBytes, maxDecodeBytes } = shareMemory({ workers }, limit);
    t.equal(maxQueueBytes, limit / 16);
    t.ok(190e6 + workers * 25e6 + 2 * maxQueueBytes + maxDecodeBytes <= limit);
    t.ok(maxDecodeBytes > 100e6, `${maxDecodeBytes}`);
  }
});

t.test('settings replace both shares, and a small limit leaves enough for a photo', async (t) => {
  const settings = { workers: 1, maxQueueBytes: 5e6, maxDecodeBytes: 6e6 };
  t.same(shareMemory(settings, limit), { maxQueueBytes: 5e6, maxDecodeBytes: 6e6 });
  t.equal(shareMemory({ workers: 4 }, limit / 2).maxDecodeBytes, 32e6);
});

t.test('without a limit, decoding gets half of the memory of the machine', async (t) => {
  const { maxQueueBytes, maxDecodeBytes } = shareMemory({ workers: 1 }, undefined);
  t.ok(maxQueueBytes <= 128 * 2 ** 20);
  t.ok(maxDecodeBytes <= totalmem() / 2);
});
