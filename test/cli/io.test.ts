import t from 'tap';
import { chooseColourLevel } from '../../src/cli/io.js';

t.test('NO_COLOR takes colours away unless it is empty', async (t) => {
  t.equal(chooseColourLevel({ NO_COLOR: '1' }, 3), 0);
  t.equal(chooseColourLevel({ NO_COLOR: '' }, 3), 3);
  t.equal(chooseColourLevel({}, 2), 2);
});

t.test('FORCE_COLOR, which the detected level already follows, wins over NO_COLOR', async (t) => {
  t.equal(chooseColourLevel({ NO_COLOR: '1', FORCE_COLOR: '3' }, 3), 3);
});
