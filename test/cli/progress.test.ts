import t from 'tap';
import { createProgress } from '../../src/cli/progress.js';
import { fakeIo } from './fake-io.js';

t.test('in a pipe each new text is a line, without control characters', async (t) => {
  const io = fakeIo();
  const progress = createProgress(io.stderr, { title: 'mnist', total: 2 });
  progress.update(0, 'download');
  progress.update(1, 'download');
  progress.update(1);
  progress.update(2, 'done');
  progress.stop();
  t.equal(io.err(), 'mnist: download\nmnist: done\n');
});

t.test('in a pipe nothing is printed if the command only shows a bar', async (t) => {
  const io = fakeIo();
  const progress = createProgress(io.stderr, { title: 'predict', total: 2, inPipe: 'nothing' });
  progress.update(1, 'half');
  progress.above(() => io.stdout.write('a result\n'));
  progress.stop();
  t.equal(io.err(), '');
  t.equal(io.out(), 'a result\n');
});

t.test('on a terminal a bar shows title, count and text, and disappears after stop', async (t) => {
  const io = fakeIo({ terminal: true });
  const progress = createProgress(io.stderr, { title: 'mnist', total: 4 });
  progress.update(2, 'unpack');
  progress.above(() => io.stderr.write('a line above\n'));
  progress.stop();
  const stopped = io.err();
  progress.stop();
  t.equal(io.err(), stopped, 'stopping again prints nothing');
  const [, after = ''] = io.err().split('\r\x1b[2Ka line above\n');
  t.match(after, /mnist █{12}░{12} 2\/4 unpack/);
  t.ok(io.err().endsWith('\x1b[0J'), 'everything from the bar on is cleared');
});
