// Names of categories → labels and file names, in any script.
import t from 'tap';
import { fileStems, labelProblem, toLabel } from '../../src/toolkit/labels.js';

const odd = [
  'Fußgänger & Co',
  'köpek',
  '猫',
  '犬',
  'golden retriever',
  'golden-retriever',
  'st. bernard',
  'emoji 🐱',
  '👨‍👩‍👧',
  'CON',
  'con',
  'nul',
  'a/b',
  '../../etc',
  '.hidden',
  'c:\\x',
  '<b>"x"</b>',
  'кошка',
  'قطة',
  'बिल्ली',
  '-rf',
  '%2e%2e',
  '7',
  'tabby-cat',
  '猫'.repeat(200),
  'x'.repeat(200),
];

t.test(
  'every label gives a file name of its own, in ASCII, short, and different without regard to case',
  async (t) => {
    const stems = fileStems(odd);
    for (const [i, stem] of stems.entries()) t.match(stem, /^[A-Za-z0-9][\w-]{0,63}$/, odd[i] ?? '');
    t.equal(new Set(stems.map((stem) => stem.toLowerCase())).size, odd.length);
  },
);

t.test('a plain label stays its own file name; others keep their letters', async (t) => {
  t.same(fileStems(['airplane', '7', 'tabby-cat', 'top_1']), ['airplane', '7', 'tabby-cat', 'top_1']);
  const [street, cat, alone] = fileStems(['Fußgänger & Co', '猫', 'CON']);
  t.match(street, /^Fussganger-Co-[0-9a-f]{8}$/);
  t.match(cat, /^label-[0-9a-f]{8}$/);
  t.equal(alone, 'CON');
  t.equal(fileStems(['x', '猫'])[1], cat, 'does not depend on the other labels');
});

t.test('a label has the form NFC, and no spaces at its ends', async (t) => {
  t.equal(toLabel('ca\u0303o'), 'c\u00e3o');
  t.equal(toLabel(' \ufeffgato\u00a0'), 'gato');
  t.equal(toLabel('golden  retriever'), 'golden  retriever');
  for (const label of odd) t.equal(labelProblem(label), undefined, label);
  t.match(labelProblem('a\nb'), /control character/);
  t.match(labelProblem('a\u0000'), /control character/);
  t.match(labelProblem('k\ufffdpek'), /not valid UTF-8/);
  t.match(labelProblem('\ud800'), /not valid UTF-8/);
  t.match(labelProblem(toLabel('  ')), /is empty/);
});
