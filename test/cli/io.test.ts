import t from 'tap';
import { chooseColourLevel } from '../../src/cli/io.js';

t.test('NO_COLOR removes colours unless it is empty', async (t) => {
  t.equal(chooseColourLevel({ NO_COLOR: '1' }, 3), 0);
  t.equal(chooseColourLevel({ NO_COLOR: '' }, 3), 3);
  t.equal(chooseColourLevel({}, 2), 2);
});

t.test('FORCE_COLOR with a level sets that level, whatever the terminal supports', async (t) => {
  t.equal(chooseColourLevel({ FORCE_COLOR: '3', TERM: 'xterm' }, 1), 3);
  t.equal(chooseColourLevel({ FORCE_COLOR: '0' }, 3), 0);
  t.equal(chooseColourLevel({ FORCE_COLOR: 'true' }, 1), 1);
});

t.test('FORCE_COLOR wins over NO_COLOR', async (t) => {
  t.equal(chooseColourLevel({ NO_COLOR: '1', FORCE_COLOR: '3' }, 3), 3);
});
