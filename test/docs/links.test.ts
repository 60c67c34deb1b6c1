import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { projectFolder } from '../helpers/project.js';

const pages = ['.', 'docs'].flatMap((folder) =>
  readdirSync(path.join(projectFolder, folder))
    .filter((file) => file.endsWith('.md'))
    .map((file) => path.join(folder, file)),
);

/** As GitHub makes them of headings. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

for (const page of pages)
  t.test(`${page}: every link leads to a file, and to a heading that is there`, async (t) => {
    const text = readFileSync(path.join(projectFolder, page), 'utf8').replace(/^```[\s\S]*?^```$/gm, '');
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
