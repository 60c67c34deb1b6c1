// Source text → the functions that are too long.
import t from 'tap';
import { longFunctions } from '../../scripts/structure/functions.js';

function statements(count: number): string {
  return Array.from({ length: count }, (_, i) => `  call(${i});`).join('\n');
}

t.test('a function is too long if its own lines exceed the limit', async (t) => {
  t.strictSame(longFunctions('a.ts', `function a() {\n${statements(38)}\n}\n`), []);
  t.strictSame(longFunctions('a.ts', `\nfunction a() {\n${statements(39)}\n}\n`), [
    'a.ts:2: a function has 41 lines of its own, allowed are 40: extract a part with a name',
  ]);
});

t.test('arrow functions, methods and accessors have the same limit', async (t) => {
  for (const head of [
    'const a = () =>',
    'class A { get a()',
    'class A { constructor()',
    'const a = { async *b()',
  ])
    t.equal(
      longFunctions('a.ts', `${head} {\n${statements(4)}\n}${head.includes('{') ? ' }' : ''}\n`, 5).length,
      1,
      head,
    );
});

t.test('blank lines, comments and inner functions do not count for the outer function', async (t) => {
  const padded = `function a() {\n${statements(3)}\n\n  /** A comment\n   * of two lines. */\n  // And one more.\n  call();\n}\n`;
  t.strictSame(longFunctions('a.ts', padded, 6), []);
  const factory = `function a() {\n  function b() {\n${statements(3)}\n  }\n  return { b, c: () => {\n${statements(3)}\n  } };\n}\n`;
  t.strictSame(longFunctions('a.ts', factory, 5), []);
  t.match(longFunctions('a.ts', factory, 4), [
    /^a\.ts:2: a function has 5 lines/,
    /^a\.ts:7: a function has 5 lines/,
  ]);
});

t.test('a template over several lines counts with all its lines', async (t) => {
  t.equal(longFunctions('a.ts', 'const a = () => `\n1\n2\n3`;\n', 3).length, 1);
});
