import { symlink } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { categoryOf, findImages, modelOf } from '../../src/cli/image-files.js';
import { fileStems } from '../../src/toolkit/labels.js';

t.test('images of a folder and of the folders below are sorted, 2 before 10', async (t) => {
  const root = t.testdir({
    mnist: { '7-10.png': '', '7-2.PNG': '', 'notes.txt': '', '.hidden.png': '' },
    cats: { deep: { 'a.jpeg': '', 'b.webp': '', 'c.gif': '' } },
    'z.jpg': '',
    '.git': { 'x.png': '' },
  });
  const names = (await findImages([root])).map((file) => path.relative(root, file));
  t.strictSame(names, [
    'cats/deep/a.jpeg',
    'cats/deep/b.webp',
    'cats/deep/c.gif',
    'mnist/7-2.PNG',
    'mnist/7-10.png',
    'z.jpg',
  ]);
});

t.test('files keep the given order and spelling, whatever their extension', async (t) => {
  t.chdir(t.testdir({ 'b.png': '', a: '', c: { 'x.png': '' } }));
  t.strictSame(await findImages(['b.png', './a', 'c/']), ['b.png', './a', 'c/x.png']);
});

t.test('a file that is given twice is used once', async (t) => {
  t.chdir(t.testdir({ 'a.png': '' }));
  t.strictSame(await findImages(['a.png', '.', './a.png']), ['a.png']);
});

t.test('a link to a folder above does not loop', async (t) => {
  const root = t.testdir({ 'a.png': '' });
  await symlink(root, path.join(root, 'again'));
  t.strictSame(await findImages([root]), [path.join(root, 'a.png')]);
});

t.test('a path that does not exist and a folder without images are wrong use', async (t) => {
  t.chdir(t.testdir({ empty: {}, 'a.png': '' }));
  await t.rejects(findImages(['a.png', 'none']), {
    name: 'WrongUseError',
    message: 'none: no such file or folder',
  });
  await t.rejects(findImages(['empty']), {
    name: 'WrongUseError',
    message: 'no PNG, JPEG, WebP or GIF file in empty',
  });
});

t.test('the nearest folder with a model’s name selects the model', async (t) => {
  const models = new Set(['mnist', 'cats']);
  t.equal(modelOf('imgs/mnist/7-1.png', models), 'mnist');
  t.equal(modelOf('cats/mnist/deep/7-1.png', models), 'mnist');
  t.equal(modelOf('imgs/mnist.png', models), undefined);
  t.equal(modelOf('mnist/../x.png', models), undefined);
});

t.test(
  'the category comes from the file’s name, else from its folder, if the model has that label',
  async (t) => {
    const labels = ['7', 'cat', 'tabby-cat'];
    t.equal(categoryOf('imgs/mnist/7-1.png', labels), '7');
    const odd = ['Fußgänger & Co', '猫', 'cão'];
    for (const [i, stem] of fileStems(odd).entries())
      t.equal(categoryOf(`imgs/x/${stem}-2.png`, odd), odd[i]);
    for (const label of odd) t.equal(categoryOf(`photos/${label.normalize('NFD')}/a.png`, odd), label);
    t.equal(categoryOf('tabby-cat-12.png', labels), 'tabby-cat');
    t.equal(categoryOf('cat/IMG_001.jpg', labels), 'cat');
    t.equal(categoryOf('cat/7-1.png', labels), '7');
    t.equal(categoryOf('cat/8-1.png', labels), 'cat');
    t.equal(categoryOf('cat/deep/x.png', labels), undefined);
    t.equal(categoryOf('7.png', labels), undefined);
  },
);
