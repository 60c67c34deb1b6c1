// Signs packed eight per byte, and the operators that unpack them.
import t from 'tap';
import { packSigns, unpackSigns } from '../../../src/toolkit/binary/bits.js';
import { GraphBuilder } from '../../../src/toolkit/graph/builder.js';
import { runGraph } from '../../helpers/run-graph.js';
import { mulberry32, uniform } from '../../helpers/seeded-values.js';

t.test('the first value is the lowest bit, 0 counts as +1, and the rest of the last byte is 0', async (t) => {
  t.same(packSigns([1, -1, 0, -0, -2, 3, -1, -1, 1]), Uint8Array.of(0b00101101, 1));
});

for (const shape of [[8], [3, 5], [6, 1, 5, 5], [16, 6, 5, 5]])
  t.test(`[${shape.join(', ')}] is unpacked to the original signs`, async (t) => {
    const count = shape.reduce((a, b) => a * b, 1);
    const values = uniform(mulberry32(count), count);
    const builder = new GraphBuilder('unpack');
    const bytes = packSigns(values);
    t.equal(bytes.length, Math.ceil(count / 8));
    builder.output(unpackSigns(builder, 'w', shape, bytes), 'y');
    const { y } = await runGraph(builder.build(), {});
    t.same(y?.dims, shape);
    t.same(
      Array.from(y?.data ?? []),
      Array.from(values, (value) => (value < 0 ? -1 : 1)),
    );
  });
