import { readFile } from 'node:fs/promises';
import t from 'tap';
import { overrideNames } from '../../src/toolkit/training/recipe/overrides.js';
import { renderValues, withValuesTable } from '../../src/toolkit/training/recipe/values-table.js';
import { projectUrl } from '../helpers/project.js';

t.test('docs/training.md contains the tables that npm run recipe-values writes', async (t) => {
  const page = await readFile(new URL('docs/training.md', projectUrl), 'utf8');
  t.equal(page, withValuesTable(page));
});

t.test('the tables have a row for every value, with its flag, its range and its default', async (t) => {
  const rows: string[] = renderValues().match(/^\| `.*$/gm) ?? [];
  const names = new Set(rows.map((row) => row.split('`')[1]));
  t.same([...names].sort(), [...overrideNames].sort());
  for (const row of [
    '| `batchSize` | `--batch-size` | a positive integer |  | images per step |',
    '| `weightDecay` | `--weight-decay` | a number of 0 or more | `0` | `sgd`: L2 penalty, added to the gradient |',
    '| `flip` | `--flip`, `--no-flip` | true or false | `false` | mirror half of the images, left to right |',
  ])
    t.ok(rows.includes(row), row);
});

t.test('a page without the markers is refused', async (t) => {
  t.throws(() => withValuesTable('# Training\n'), { message: /needs <!-- recipe values/ });
});
