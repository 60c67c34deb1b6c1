// the COPY lines of docker/Dockerfile → the files that the build gets. `npm run verify:image` runs the build.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { projectFolder } from '../helpers/project.js';

const dockerfile = readText('docker/Dockerfile').replaceAll('\\\n', ' ');

t.test('every file that the Dockerfile copies exists, and .dockerignore does not exclude it', async (t) => {
  const [everything, ...kept] = readText('.dockerignore').trim().split('\n');
  t.equal(everything, '*', 'what is not named stays out');
  const sources = [...dockerfile.matchAll(/^COPY (?!--from)(.+)$/gm)].flatMap(([, words = '']) =>
    words.trim().split(/\s+/).slice(0, -1),
  );
  t.ok(sources.length >= 8);
  for (const source of sources) {
    t.ok(existsSync(join(projectFolder, source)), source);
    t.ok(kept.includes(`!${source}`), `!${source} in .dockerignore`);
  }
});

t.test('the stage that builds contains every script of the build, with all its imports', async (t) => {
  const { scripts } = JSON.parse(readText('package.json')) as { scripts: { build: string } };
  const [, folder = ''] = /\b(scripts\/\w+)\/\S+/.exec(scripts.build) ?? [];
  t.ok(dockerfile.includes(`COPY ${folder} ${folder}\n`), folder);
  for (const file of readdirSync(join(projectFolder, folder)))
    t.notMatch(readText(join(folder, file)), /from '(\.\.|#)/, `${file} imports nothing outside of it`);
});

function readText(file: string): string {
  return readFileSync(join(projectFolder, file), 'utf8');
}
