// the links of the pages, and the files in their code → all exist.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { projectFolder } from '../helpers/project.js';
import { pages, readPage } from './pages.js';

/** The anchor that GitHub makes from a heading. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

for (const page of pages)
  t.test(`${page}: every link leads to a file and a heading that exist`, async (t) => {
    const text = readPage(page).replace(/^```[\s\S]*?^```$/gm, '');
    const links = [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)].map(
      ([, link, src]) => link ?? src ?? '',
    );
    for (const link of links.filter((each) => !/^\w+:/.test(each))) {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? page : path.join(path.dirname(page), file);
      t.ok(existsSync(path.join(projectFolder, target)), link);
      if (anchor !== undefined && existsSync(path.join(projectFolder, target)))
        t.ok(anchorsOf(readFileSync(path.join(projectFolder, target), 'utf8')).includes(anchor), link);
    }
  });

for (const page of pages)
  t.test(`${page}: every project file in its code exists`, async (t) => {
    const named = readPage(page).matchAll(/`((?:src|test|bench|scripts|docker|docs|\.ci)\/[\w./-]*)`/g);
    for (const [, file = ''] of named) t.ok(existsSync(path.join(projectFolder, file)), file);
  });
