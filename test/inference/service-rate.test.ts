// Batches and their times → milliseconds per image.
import t from 'tap';
import { createServiceRate } from '../../src/inference/service-rate.js';

t.test('the first batch gives the first value, later ones move the average', async (t) => {
  const rate = createServiceRate(0.5);
  t.equal(rate.msPerImage('a'), undefined);
  rate.record('a', 4, 40);
  t.equal(rate.msPerImage('a'), 10);
  rate.record('a', 1, 20);
  t.equal(rate.msPerImage('a'), 15);
  t.equal(rate.msPerImage('b'), undefined);
});

t.test('a batch of n images counts like n batches of one', async (t) => {
  const [together, apart] = [createServiceRate(), createServiceRate()];
  for (const rate of [together, apart]) rate.record('a', 1, 10);
  together.record('a', 3, 6);
  for (let i = 0; i < 3; i++) apart.record('a', 1, 2);
  t.ok(Math.abs((together.msPerImage('a') ?? 0) - (apart.msPerImage('a') ?? 0)) < 1e-12);
});
