// Normalisation as one product and one sum; before a sign, as one comparison.
import t from 'tap';
import { signOf } from '../../../src/toolkit/autodiff/sign.js';
import { composed, thresholdOf } from '../../../src/toolkit/binary/norms.js';

const affine = { factors: [2, -2, 0, 0, 0.5], offsets: [-3, -3, 0, -1, 1] };

t.test(
  'a threshold gives the sign of factor x + offset, at the bound and on both sides, for every factor',
  async (t) => {
    const { directions, bounds } = thresholdOf(affine);
    for (const x of [-5, -2, -1.5, 0, 1.5, 2, 5])
      t.same(
        bounds.map((bound, k) => (x * (directions[k] ?? 0) >= bound ? 1 : -1)),
        affine.factors.map((factor, k) => signOf(factor * x + (affine.offsets[k] ?? 0))),
        `x = ${x}`,
      );
  },
);

t.test('a composition applies the inner norm first, then the outer', async (t) => {
  const inner = { factors: [1, 2, 3, 4, 5], offsets: [1, -1, 1, -1, 1] };
  t.same(composed(affine, inner), { factors: [2, -4, 0, 0, 2.5], offsets: [-1, -1, 0, -1, 1.5] });
  t.same(composed({ factors: [1], offsets: [0] }, inner), inner, 'one channel stands for all');
});
