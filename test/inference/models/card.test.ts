// Cards with digit rules → accepted, or refused with the reason.
import t from 'tap';
import { CardError } from '../../../src/inference/errors.js';
import type { InputContract } from '../../../src/inference/image/contract.js';
import { type Card, parseCard } from '../../../src/inference/models/card.js';
import { grayInput } from '../../helpers/fixture-model.js';

const variant = { file: 'float32.onnx', bytes: 1, sha256: '0'.repeat(64) };
const cardOf = (input: InputContract): Card => ({
  name: 'digits',
  title: 'Digits',
  labels: ['0', '1'],
  input,
  output: 'softmax',
  defaultVariant: 'float32',
  variants: { float32: variant },
  golden: [],
});

t.test('polarity and centre are optional, and only for a gray input', async (t) => {
  const input: InputContract = { ...grayInput, polarity: 'auto', centre: { box: 20 } };
  t.same(parseCard(cardOf(input), 'card.json').input, input);
  t.same(parseCard(cardOf(grayInput), 'card.json').input, grayInput);
});

t.test('pixels of a uint8 input are not scaled', async (t) => {
  const bytes: InputContract = { ...grayInput, dataType: 'uint8', scale: 1 };
  t.same(parseCard(cardOf(bytes), 'card.json').input, bytes);
  for (const input of [
    { ...bytes, scale: 1 / 255 },
    { ...bytes, mean: [0.5] },
    { ...bytes, std: [2] },
  ])
    t.throws(() => parseCard(cardOf(input), 'card.json'), {
      constructor: CardError,
      message: /\/input\/dataType: uint8 takes pixels unchanged: expected scale 1, mean 0 and std 1, got /,
    });
});

t.test('digit rules for rgb, and a box larger than the image, are refused', async (t) => {
  const rgb: InputContract = { ...grayInput, channels: 'rgb', mean: [0, 0, 0], std: [1, 1, 1] };
  const refused: [InputContract, RegExp][] = [
    [{ ...rgb, polarity: 'auto' }, /card.json: \/input\/polarity is only for gray images, got rgb/],
    [{ ...rgb, centre: { box: 20 } }, /\/input\/centre is only for gray images/],
    [{ ...grayInput, centre: { box: 29 } }, /\/input\/centre\/box: expected at most 28, got 29/],
  ];
  for (const [input, message] of refused)
    t.throws(() => parseCard(cardOf(input), 'card.json'), { constructor: CardError, message });
  t.doesNotThrow(() => parseCard(cardOf({ ...rgb, polarity: 'as-is' }), 'card.json'));
});
