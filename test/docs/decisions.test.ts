// docs/decisions: every file has the same headings, and the index lists every file with its title and date.
import path from 'node:path';
import t from 'tap';
import { pages, readPage } from './pages.js';

const folder = path.join('docs', 'decisions');
const index = path.join(folder, 'README.md');
const decisions = pages.filter((page) => path.dirname(page) === folder && page !== index);

t.ok(decisions.length > 20, 'decisions were found');

for (const page of decisions)
  t.test(`${page} has a title, a date, a context, a decision and consequences`, async (t) => {
    const text = readPage(page);
    t.match(text, /^# \S.*\n\nDate: \d{4}-\d{2}-\d{2}\b.*\n\n## Context\n/);
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    t.strictSame(headings, ['Context', 'Decision', 'Consequences']);
  });

t.test('the index lists every decision by its title and its first date', async (t) => {
  const rows = [...readPage(index).matchAll(/^\| \[(.+)\]\((.+\.md)\) \| (\S+) \|$/gm)];
  const listed = rows.map(([, title, file = '', date]) => ({ page: path.join(folder, file), title, date }));
  const expected = decisions.map((page) => {
    const [, title, date] = /^# (.+)\n\nDate: (\S{10})/.exec(readPage(page)) ?? [];
    return { page, title, date };
  });
  const byPage = (a: { page: string }, b: { page: string }) => (a.page < b.page ? -1 : 1);
  t.strictSame(listed.sort(byPage), expected.sort(byPage));
});
