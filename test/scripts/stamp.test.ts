// the files that a build read and wrote, and later changes → whether it must run again.
import { appendFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t, { type Test } from 'tap';
import { type Build, stateOf, writeStamp } from '../../scripts/compile/stamp.js';

/** A build that ran: of a folder and a file, into a folder that holds its stamp. */
function built(t: Test) {
  const folder = t.testdir({
    src: { 'a.ts': 'a', deep: { 'b.ts': 'b' } },
    'tsconfig.json': '{}',
    dist: { 'a.js': 'a', deep: { 'b.js': 'b' } },
  });
  const place = (name: string) => path.join(folder, name);
  const build: Build = {
    inputs: [place('src'), place('tsconfig.json'), place('package-lock.json')],
    outputs: [place('dist')],
    stamp: place('dist/.stamp'),
  };
  writeStamp(build, stateOf(build).read);
  return { place, freshness: () => stateOf(build).freshness };
}

t.test('a build without a stamp has to run', async (t) => {
  const { place, freshness } = built(t);
  t.equal(freshness(), 'fresh');
  await rm(place('dist/.stamp'));
  t.equal(freshness(), 'outputs changed');
});

t.test('files that only have new times, as in a fresh clone, need no build', async (t) => {
  const { place, freshness } = built(t);
  await utimes(place('src/a.ts'), new Date(), new Date());
  await utimes(place('dist/a.js'), 0, 0);
  t.equal(freshness(), 'fresh');
});

t.test('an input that was edited, added, deleted or renamed needs a build', async (t) => {
  const changes: Record<string, (place: (name: string) => string) => Promise<void>> = {
    'a source edited': (place) => appendFile(place('src/deep/b.ts'), ' '),
    'a setting edited': (place) => appendFile(place('tsconfig.json'), ' '),
    'a setting added': (place) => writeFile(place('package-lock.json'), ''),
    'a source added': (place) => writeFile(place('src/deep/c.ts'), ''),
    'a source deleted': (place) => rm(place('src/a.ts')),
    'a source renamed': (place) => rename(place('src/a.ts'), place('src/z.ts')),
  };
  for (const [name, change] of Object.entries(changes))
    await t.test(name, async (t) => {
      const { place, freshness } = built(t);
      await change(place);
      t.equal(freshness(), 'inputs changed');
    });
});

t.test('an output that was edited or deleted needs a build, although no input changed', async (t) => {
  const edited = built(t);
  await appendFile(edited.place('dist/deep/b.js'), ' ');
  t.equal(edited.freshness(), 'outputs changed');
  const deleted = built(t);
  await rm(deleted.place('dist/deep/b.js'));
  t.equal(deleted.freshness(), 'outputs changed');
});

t.test('an input that was edited while the build ran needs another build', async (t) => {
  const { place, freshness } = built(t);
  const build: Build = { inputs: [place('src')], outputs: [place('dist')], stamp: place('dist/.stamp') };
  const { read } = stateOf(build);
  await appendFile(place('src/a.ts'), 'late');
  writeStamp(build, read);
  t.equal(stateOf(build).freshness, 'inputs changed');
  t.not(freshness(), 'fresh');
});
