// card.schema.json against the code that reads cards, and against the committed cards.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { Compile } from 'typebox/compile';
import { cardSchema } from '../../src/toolkit/publishing/card-schema.js';
import { projectFolder } from '../helpers/project.js';

const file = path.join(projectFolder, 'card.schema.json');

t.test('card.schema.json equals the schema that checks cards (npm run card-schema)', async (t) => {
  t.equal(await readFile(file, 'utf8'), cardSchema());
});

t.test('that file accepts every committed card, and refuses what is not a card', async (t) => {
  const validator = Compile(JSON.parse(await readFile(file, 'utf8')));
  const models = path.join(projectFolder, 'models');
  const names = (await readdir(models, { recursive: true })).filter((name) => name.endsWith('card.json'));
  t.ok(names.length > 0);
  for (const name of names) {
    const card = JSON.parse(await readFile(path.join(models, name), 'utf8'));
    t.ok(validator.Check(card), name);
    const wrong = [
      { ...card, labels: 'abc' },
      { ...card, output: 'logits' },
      { ...card, input: { ...card.input, layout: 'NCHW' } },
      { ...card, variants: { ...card.variants, int4: card.variants.int8 } },
      { ...card, variants: { float32: { ...card.variants.float32, file: '../float32.onnx' } } },
      { ...card, colour: 'red' },
    ];
    for (const [i, other] of wrong.entries()) t.notOk(validator.Check(other), `${name}, change ${i}`);
  }
});
