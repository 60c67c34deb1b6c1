import t from 'tap';
import { CommandFailedError, WrongUseError } from '../../src/cli/errors.js';
import { reportError } from '../../src/cli/report-error.js';
import { fakeIo } from './fake-io.js';

function reported(error: unknown, verbose = false) {
  const io = fakeIo();
  const code = reportError(error, { io, verbose, asked: 'dataset' });
  return { code, out: io.out(), err: io.err() };
}

t.test('an expected failure gives one line on stderr and exit code 1', async (t) => {
  t.strictSame(reported(new CommandFailedError('2 of 3 images failed')), {
    code: 1,
    out: '',
    err: 'error: 2 of 3 images failed\n',
  });
});

t.test('wrong use gives exit code 2', async (t) => {
  t.match(reported(new WrongUseError('x: no such file')), { code: 2, err: 'error: x: no such file\n' });
});

t.test('an unexpected error, and any error with --verbose, is printed with its stack', async (t) => {
  t.match(reported(new TypeError('bug')), { code: 1, err: /TypeError: bug\n +at / });
  const cause = new Error('the reason');
  t.match(reported(new CommandFailedError('x', { cause }), true), {
    code: 1,
    err: /at .*cause.*the reason/s,
  });
});

t.test('Ctrl-C gives one line and exit code 130', async (t) => {
  t.match(reported(AbortSignal.abort().reason), { code: 130, err: 'interrupted\n' });
});

t.test('a package that is missing in a production install is named with its remedy', async (t) => {
  const missing = Object.assign(new Error("Cannot find package 'tar' imported from /x/y.js"), {
    code: 'ERR_MODULE_NOT_FOUND',
  });
  t.match(reported(missing), {
    code: 1,
    err: /^error: quati dataset needs the package tar, .*npm install --include=dev; elsewhere: npm install tar@"\^\d.*"\n$/,
  });
});

t.test('a missing file of the project itself is an unexpected error', async (t) => {
  const missing = await import('./no-such-file.js' as string).catch((error: unknown) => error);
  t.match(reported(missing), { code: 1, err: /Cannot find module .*no-such-file/ });
});
