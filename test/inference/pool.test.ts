// models and pixels → scores from worker threads.
import { join } from 'node:path';
import t from 'tap';
import { ModelError } from '../../src/inference/errors.js';
import { createPool } from '../../src/inference/pool.js';
import { grayInput, writeFixtureModel } from '../helpers/fixture-model.js';

t.test(
  'workers answer for the models they could open, and say why they could not open another',
  async (t) => {
    const folder = await writeFixtureModel(t.testdir());
    const good = { key: 'good', file: join(folder, 'float32.onnx'), input: grayInput };
    const pool = createPool({
      threads: 2,
      models: [{ ...good, key: 'missing', file: join(folder, 'missing.onnx') }, good],
    });
    t.teardown(() => pool.close());
    const pixels = [0, 255, 0].map((value) => new Uint8Array(28 * 28).fill(value));
    const rows = await pool.run('good', pixels);
    t.same(
      rows.map(([dark = 0, bright = 0]) => (dark > bright ? 'dark' : 'bright')),
      ['dark', 'bright', 'dark'],
    );
    await t.rejects(pool.run('missing', pixels), { constructor: ModelError, message: /can't be loaded/ });
    await t.rejects(pool.run('good', [new Uint8Array(5)]), {
      message: 'Tensor: pixels: expected 784, got 5',
    });
    t.equal((await pool.run('good', pixels)).length, 3, 'and go on');
  },
);
