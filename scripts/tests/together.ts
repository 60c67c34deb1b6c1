// Compiled test files, one per line of the standard input → their tests in this one process, one file after the other.
//
// A process with tap and the imports that many files share costs a quarter of a second of processor time and more: most of a quick
// file's time. After each file, a line of the output states its counts and its time: `# file <name> <counts as JSON> <seconds>`.
// The names come from the standard input, because tap makes the names of the tests' folders from the arguments.
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import t from 'tap';

const files = (await text(process.stdin)).split('\n').filter((file) => file !== '');
for (const file of files) {
  const before = { ...t.counts };
  const start = performance.now();
  await import(pathToFileURL(path.resolve(file)).href);
  while (!t.idle) await nextTurn();
  // tap counts a result once another line follows it. This one, which changes nothing, is such a line.
  t.pragma({ strict: false });
  const { pass, fail, skip, todo } = t.counts;
  const counts = {
    passed: pass - before.pass,
    failed: fail - before.fail,
    skipped: skip + todo - before.skip - before.todo,
  };
  t.comment(`file ${file} ${JSON.stringify(counts)} ${((performance.now() - start) / 1000).toFixed(1)}`);
}
