// npm test over files in the place of compiled tests → their lines, the counts, and the exit code.

import { existsSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { alone, slow } from '../../scripts/tests/slow.js';
import { projectFolder } from '../helpers/project.js';
import { runScript } from '../helpers/run-script.js';

/** Runs programs, given as text, in the place of the test files of those names: each in a process of its own, as they are chosen. */
function run(t: Test, programs: Record<string, string>, parts = Object.keys(programs)) {
  const files = Object.entries(programs).map(([name, program]) => [`${name}.test.js`, program]);
  // Tests that share a process share tap: it is found as the build's tests find it.
  const tap = t.fixture('symlink', path.join(projectFolder, 'build/node_modules'));
  const folder = t.testdir({ node_modules: tap, tests: Object.fromEntries(files) as Record<string, string> });
  const argv = ['--folder', path.join(folder, 'tests'), '--jobs', '1', ...parts];
  const { status, stdout } = runScript('tests/main', argv);
  return { status, stdout, last: stdout.trimEnd().split('\n').at(-1) };
}

/** The same where none is chosen: they share a process, in the order of their names. */
function runTogether(t: Test, programs: Record<string, string>) {
  const files = Object.entries(programs).map(([name, program]) => [
    name,
    `import t from 'tap'; import { setTimeout as sleep } from 'node:timers/promises'; ${program}`,
  ]);
  return run(t, Object.fromEntries(files), []);
}

function printing(lines: string[], exitCode = 0): string {
  return `console.log(${JSON.stringify(lines.join('\n'))}); process.exitCode = ${exitCode};`;
}

t.test('the counts of all files are the last line', async (t) => {
  const one = printing(['TAP version 14', 'ok 1 - x', '1..1', '# { total: 3, pass: 3 }', '# time=1ms']);
  const other = printing(['# { total: 8, pass: 5, skip: 3 }']);
  t.match(run(t, { one, other }), { last: '8 passed, 0 failed, 3 skipped', status: 0 });
});

t.test('a file that failed is named, and all that it printed is shown', async (t) => {
  const lines = ['TAP version 14', 'not ok 1 - x', '# { total: 8, pass: 5, fail: 2, skip: 1 }'];
  const bad = `console.error('why');${printing(lines, 1)}`;
  const { stdout, status, last } = run(t, { good: printing(['# { total: 1, pass: 1 }']), bad });
  t.match(stdout, /^ok good \(/m);
  t.match(stdout, /^not ok bad \([\d.]+ s\)\nTAP version 14\nnot ok 1 - x\n# \{ total.*\nwhy\n/m);
  t.match(stdout, /^failed: bad$/m);
  t.equal(last, '6 passed, 2 failed, 1 skipped');
  t.equal(status, 1);
});

t.test('todo tests, and all tests of a skipped file, count as skipped', async (t) => {
  const todo = printing(['# { total: 3, pass: 1, skip: 1, todo: 1 }']);
  const whole = printing(['TAP version 14', '1..0 # SKIP not here']);
  t.match(run(t, { todo, whole }), { last: '1 passed, 0 failed, 3 skipped', status: 0 });
});

t.test('summaries of subtests and lines that look like failures are not counted', async (t) => {
  const lines = [
    '    # { total: 9, fail: 9 }',
    'not ok 1 - a printed line',
    '# { total: 2, pass: 2 }',
    '  # { total: 7 }',
  ];
  t.match(run(t, { file: printing(lines) }), { last: '2 passed, 0 failed, 0 skipped', status: 0 });
});

t.test('a file or a folder without any test is a failure', async (t) => {
  const empty = printing(['TAP version 14', '1..0 # no tests found']);
  const good = printing(['# { total: 1, pass: 1 }']);
  t.match(run(t, { empty, good }), { last: '1 passed, 1 failed, 0 skipped', status: 1 });
  t.match(run(t, {}), { last: '0 passed, 0 failed, 0 skipped', status: 1 });
});

t.test('a failed test is a failure, although the file exits 0', async (t) => {
  t.match(run(t, { file: printing(['# { total: 1, fail: 1 }']) }), {
    last: '0 passed, 1 failed, 0 skipped',
    status: 1,
  });
});

t.test('another exit code than 0 and a signal are failures, although all tests passed', async (t) => {
  const exits = printing(['# { total: 1, pass: 1 }'], 3);
  const ends = `${printing(['# { total: 1, pass: 1 }'])} process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 5000);`;
  const { stdout, status, last } = run(t, { exits, ends });
  t.match(stdout, /^ended by SIGTERM$/m);
  t.equal(last, '2 passed, 2 failed, 0 skipped');
  t.equal(status, 1);
});

t.test('files are selected by a part of their path', async (t) => {
  const passing = printing(['# { total: 1, pass: 1 }']);
  const { stdout } = run(t, { one: passing, other: passing }, ['oth']);
  t.match(stdout, /^ok other/m);
  t.notMatch(stdout, /^ok one/m);
});

const passing = "t.test('it passes', async (t) => { await sleep(5); t.pass('x'); });";
const failing = "t.test('it fails', async (t) => { await sleep(5); t.equal(1, 2); t.pass('y'); });";

t.test('files that are not slow share a process, one after the other, and each has its line', async (t) => {
  const one = "t.test('it waits', async (t) => { await sleep(50); globalThis.seen = 1; t.pass('x'); });";
  const two =
    "const { seen } = globalThis; t.test('it sees', async (t) => t.equal(seen, 1)); t.test('not here', { skip: 'not here' });";
  const { stdout, last, status } = runTogether(t, { one, two });
  t.match(stdout, /^ok one \(\d\.\d s\)\nok two \(\d\.\d s\)$/m);
  t.equal(last, '2 passed, 0 failed, 1 skipped');
  t.equal(status, 0);
});

t.test('of files that share a process, those that failed are named, with what each printed', async (t) => {
  const { stdout, last, status } = runTogether(t, { a: passing, b: failing, c: passing, d: failing });
  t.match(stdout, /^failed: b, d$/m);
  t.match(stdout, /^not ok b \(.*\n(?!ok|not ok)[\s\S]*it fails[\s\S]*^ok c \(/m);
  t.equal(stdout.match(/it passes/g), null);
  t.equal(last, '4 passed, 2 failed, 0 skipped');
  t.equal(status, 1);
});

t.test('a file without tests fails, also in a process with others', async (t) => {
  t.match(runTogether(t, { a: passing, b: '', c: passing }), {
    stdout: /^failed: b$/m,
    last: '2 passed, 1 failed, 0 skipped',
    status: 1,
  });
});

t.test('a file that ends the process fails, and so do those that could not run', async (t) => {
  const ends = "t.test('it ends', async () => { process.exit(0); });";
  const { stdout, last, status } = runTogether(t, { a: passing, b: ends, c: passing });
  t.match(
    stdout,
    /^ok a \([\s\S]*^not ok b \([\s\S]*test unfinished$[\s\S]*^not ok c \([\s\S]*^It did not run: /m,
  );
  t.equal(last, '1 passed, 2 failed, 0 skipped');
  t.equal(status, 1);
});

t.test('a process that fails after its files fails, with what it printed', async (t) => {
  const late = `${passing} setTimeout(() => { throw new Error('too late'); }, 200);`;
  const { stdout, last, status } = runTogether(t, { a: late, b: passing });
  t.match(stdout, /^not ok b \([\s\S]*too late/m);
  t.equal(last, '2 passed, 1 failed, 0 skipped');
  t.equal(status, 1);
});

t.test('every slow test that is listed exists', async (t) => {
  const place = (entry: string) =>
    path.join(projectFolder, 'test', entry.endsWith('/') ? entry : `${entry}.test.ts`);
  t.same(
    [...alone, ...slow].filter((entry) => !existsSync(place(entry))),
    [],
  );
});
