// the prose of the pages → no sentence is too long to understand at first reading.
import t from 'tap';
import { pages, readPage } from './pages.js';

/** A longer sentence should be split in two. */
const mostWords = 25;

for (const page of pages.filter((page) => !page.includes('pt-BR')))
  t.test(`${page}: no sentence has more than ${mostWords} words`, async (t) => {
    const long = sentencesOf(readPage(page)).filter((sentence) => sentence.split(' ').length > mostWords);
    t.strictSame(long, []);
  });

/** Without code blocks, HTML and addresses. A paragraph, an item of a list and a cell of a table end a sentence, too. */
function sentencesOf(markdown: string): string[] {
  const prose = markdown
    .replace(/^```[\s\S]*?^```$/gm, '')
    .replace(/^ {4}.*$/gm, '')
    .replace(/<!--[\s\S]*?-->|<[^>]+>/g, '')
    .replace(/\]\([^)]*\)/g, ']')
    .replace(/`[^`]+`/g, 'code')
    .replace(/(?<!\\)\|/g, '\n\n');
  return prose
    .split(/\n\s*\n|\n(?=\s*(?:[-*]|\d+\.|#+) )/)
    .map((block) => block.replace(/\s+/g, ' ').trim())
    .flatMap((block) => block.split(/(?<=[.?!:;]\)?\**) /))
    .filter((sentence) => sentence !== '');
}
