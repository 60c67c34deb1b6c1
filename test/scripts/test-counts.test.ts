// scripts/test-counts.ts around a program in the place of tap → the line of counts, and the exit code.
import t from 'tap';
import { runScript } from '../helpers/run-script.js';

/** Runs a Node program, given as text, in the place of tap. */
function run(program: string) {
  const { status, stdout, stderr } = runScript('test-counts', [process.execPath, '-e', program]);
  return { status, stdout, stderr, last: stdout.trimEnd().split('\n').at(-1) };
}

function printing(lines: string[], exitCode = 0): string {
  return `console.log(${JSON.stringify(lines.join('\n'))}); process.exitCode = ${exitCode};`;
}

t.test('the output comes through unchanged, and the counts are the last line', async (t) => {
  const lines = [
    'TAP version 14',
    'ok 1 - x',
    '1..1',
    '# { total: 8, pass: 5, fail: 2, skip: 1 }',
    '# time=1ms',
  ];
  const { stdout, status } = run(printing(lines, 1));
  t.equal(stdout, `${lines.join('\n')}\n5 passed, 2 failed, 1 skipped\n`);
  t.equal(status, 1);
});

t.test('counts that are zero, which tap leaves out, are printed as zero', async (t) => {
  t.match(run(printing(['# { total: 3, pass: 3 }'])), { last: '3 passed, 0 failed, 0 skipped', status: 0 });
});

t.test('todo counts as skipped', async (t) => {
  t.match(run(printing(['# { total: 3, pass: 1, skip: 1, todo: 1 }'])), {
    last: '1 passed, 0 failed, 2 skipped',
  });
});

t.test('summaries of subtests and lines that look like failures are not counted', async (t) => {
  const lines = [
    '    # { total: 9, fail: 9 }',
    'not ok 1 - a printed line',
    '# { total: 2, pass: 2 }',
    '  # { total: 7 }',
  ];
  t.match(run(printing(lines)), { last: '2 passed, 0 failed, 0 skipped', status: 0 });
});

t.test('no test at all is a failure, although tap exits 0', async (t) => {
  t.match(run(printing(['TAP version 14', '1..0 # no tests found'])), {
    last: '0 passed, 0 failed, 0 skipped',
    status: 1,
    stderr: 'test-counts: no test ran\n',
  });
});

t.test('a failed test is a failure, although the command exits 0', async (t) => {
  t.match(run(printing(['# { total: 1, fail: 1 }'])), { status: 1 });
});

t.test("the command's own exit code is kept, also when all tests passed", async (t) => {
  t.match(run(printing(['# { total: 1, pass: 1 }'], 3)), {
    last: '1 passed, 0 failed, 0 skipped',
    status: 3,
  });
});

t.test('a command that a signal ended fails like in a shell', async (t) => {
  t.match(run("process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 5000)"), { status: 143 });
});

t.test('a missing command, and one that cannot be started, are reported', async (t) => {
  t.match(runScript('test-counts', []), { status: 2, stderr: /^usage: / });
  t.match(runScript('test-counts', ['no-such-command']), {
    status: 127,
    stderr: /no-such-command could not be started/,
  });
});
