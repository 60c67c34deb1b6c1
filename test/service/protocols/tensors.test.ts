// cards and clients' numbers → tensors.
import t from 'tap';
import type { Card } from '../../../src/inference/models/card.js';
import { shortestFloat } from '../../../src/service/protocols/outputs.js';
import {
  appendNumbers,
  createBatch,
  describeTensors,
  splitBatch,
} from '../../../src/service/protocols/tensors.js';
import { grayInput } from '../../helpers/fixture-model.js';
import { viewJson } from '../../helpers/json.js';

const rgb = { ...grayInput, width: 2, height: 1, channels: 'rgb' as const, layout: 'nhwc' as const };
const bytes = { ...rgb, dataType: 'uint8' as const };

function card(change: Partial<Card>): Card {
  const input = grayInput;
  return {
    name: 'a',
    title: '',
    labels: ['no', 'yes'],
    input,
    output: 'softmax',
    defaultVariant: 'int8',
    variants: {},
    golden: [],
    ...change,
  };
}

t.test('the numeric input has the layout and the type of the card', async (t) => {
  t.match(describeTensors(card({})).input, { datatype: 'FP32', shape: [-1, 1, 28, 28] });
  t.match(describeTensors(card({ input: bytes })).input, { datatype: 'UINT8', shape: [-1, 1, 2, 3] });
});

t.test(
  'a sigmoid of two labels may have one score, and a model of probabilities has no scores',
  async (t) => {
    const shapes = (output: Card['output']) =>
      describeTensors(card({ output })).outputs.map(({ name, shape }) => [name, shape[1]]);
    t.same(shapes('softmax'), [
      ['scores', 2],
      ['probabilities', 2],
    ]);
    t.same(shapes('sigmoid'), [
      ['scores', -1],
      ['probabilities', 2],
    ]);
    t.same(shapes('probabilities'), [['probabilities', 2]]);
  },
);

t.test('lists become bytes if the model takes bytes, and values outside 0 to 255 are refused', async (t) => {
  const shape = [2, 1, 2, 3];
  const values = [0, 1, 2, 253, 254, 255].flatMap((value) => [value, value]);
  const toTensor = (list: number[], shape: number[]) => {
    const batch = createBatch(bytes, 2);
    appendNumbers(viewJson(JSON.stringify(list)), shape, batch, 'data');
    return batch.values;
  };
  const tensor = toTensor(values, [12]);
  t.same(tensor, Uint8Array.from(values));
  const rows = splitBatch(tensor, bytes);
  t.same(rows, [
    { tensor: Uint8Array.from(values.slice(0, 6)) },
    { tensor: Uint8Array.from(values.slice(6)) },
  ]);
  for (const wrong of [-1, 256, 0.5])
    t.throws(() => toTensor(values.with(3, wrong), [12]), {
      message: `data: expected integers from 0 to 255, got ${wrong}`,
    });
  t.throws(() => toTensor(values, shape), /data: expected a list of 2, got a list of 12/);
});

t.test('floats are written with the fewest digits that give the same float', async (t) => {
  t.equal(shortestFloat(Math.fround(0.1)), 0.1);
  t.equal(shortestFloat(Math.fround(16_777_217)), 16_777_216);
  for (const value of [1 / 3, 1e-38, 3.4e38, -0.7, 123_456.789, 1e-45])
    t.equal(Math.fround(shortestFloat(Math.fround(value))), Math.fround(value));
});
