// README.pt-BR.md, compared with README.md: code, links and figures are the same.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { projectFolder } from '../helpers/project.js';
import { findCodeBlocks } from './code-blocks.js';

const [english, portuguese] = ['README.md', 'README.pt-BR.md'].map((name) =>
  readFileSync(path.join(projectFolder, name), 'utf8'),
) as [string, string];

t.test('the translation has the same code blocks, in the same order', async (t) => {
  const blocks = [english, portuguese].map((text) =>
    findCodeBlocks('README', text).map(({ language, mark, code }) => ({ language, mark, code })),
  );
  t.ok((blocks[0]?.length ?? 0) > 5);
  t.strictSame(blocks[1], blocks[0]);
});

t.test(
  'the translation has the same table of models; other tables have the same rows, columns, code and links',
  async (t) => {
    const modelsOf = (text: string) => /<!-- models[\s\S]*<!-- \/models -->/.exec(text)?.[0];
    t.ok(modelsOf(english));
    t.equal(modelsOf(portuguese), modelsOf(english));
    t.strictSame(tablesOf(portuguese).map(shapeOf), tablesOf(english).map(shapeOf));
  },
);

t.test('the translation has as many sections, and the same links and figures in the text', async (t) => {
  t.equal(portuguese.match(/^## /gm)?.length, english.match(/^## /gm)?.length);
  const linksOf = (text: string) =>
    [...text.matchAll(/\]\((docs\/[^)]+|CONTRIBUTING\.md)\)/g)].map(([, link]) => link);
  t.strictSame(linksOf(portuguese), linksOf(english));
  const figuresOf = (text: string) =>
    [...text.matchAll(/\d+[.,]\d+/g)].map(([figure]) => figure.replace(',', '.'));
  t.strictSame(
    figuresOf(portuguese.split('## Licença')[0] ?? ''),
    figuresOf(english.split('## Licence')[0] ?? ''),
  );
});

function tablesOf(text: string): string[] {
  return text.match(/(?:^\|.*\n)+/gm) ?? [];
}

/** The parts of each cell that are not prose. */
function shapeOf(table: string): string[][] {
  return table
    .split('\n')
    .map((row) => row.split('|').map((cell) => (cell.match(/`[^`]+`|\([^)]*\.md\)/g) ?? []).join(' ')));
}
