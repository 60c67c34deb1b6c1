// the reader of JSON → accepts, refuses and returns what JSON.parse does, apart from its limits.
//
// QUATI_FUZZ_SECONDS=600 QUATI_FUZZ_SEED=7 node build/test/service/protocols/json.test.js   for longer, with another seed
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { type ConvertLimits, convert } from '../../../src/service/protocols/json/document.js';
import { JsonLimitError, JsonSyntaxError } from '../../../src/service/protocols/json/errors.js';
import { NumberScanner } from '../../../src/service/protocols/json/number.js';
import { viewJson } from '../../helpers/json.js';
import { mutate, type Random, seeded } from '../../helpers/mutate.js';

const seconds = Number(process.env.QUATI_FUZZ_SECONDS ?? 0);
const firstSeed = Number(process.env.QUATI_FUZZ_SEED ?? 1);
const ample: ConvertLimits = { maxValues: 100_000, maxTextBytes: 100_000 };

t.setTimeout(seconds * 3000 + 60_000);

type Outcome = { value: unknown } | { refused: true };

function readOwn(bytes: Buffer, sliceBytes: number): Outcome {
  try {
    return { value: convert(viewJson(bytes, undefined, sliceBytes), ample) };
  } catch (error) {
    if (error instanceof JsonSyntaxError) return { refused: true };
    throw error;
  }
}

function readStandard(bytes: Buffer): Outcome {
  try {
    return { value: JSON.parse(bytes.toString()) };
  } catch {
    return { refused: true };
  }
}

/** Runs the check with one seed after the other, at least a thousand. */
function forSeeds(check: (random: Random, seed: number) => void): number {
  const until = performance.now() + seconds * 1000;
  let seed = firstSeed;
  for (; performance.now() < until || seed < firstSeed + 1000; seed++) check(seeded(seed), seed);
  return seed - firstSeed;
}

const below = (random: Random, limit: number) => Math.floor(random() * limit);
const pick = <Item>(random: Random, items: readonly Item[]) => items[below(random, items.length)] as Item;

const spaces = ['', '', '', ' ', '\n', '\t', '\r\n', '   '];
const texts = [
  '',
  'a',
  'input',
  '__proto__',
  'constructor',
  '0',
  '\\u0041\\n\\"\\\\\\/\\b\\f\\r\\t',
  '\\ud83d\\ude00',
  '\\ud800',
  'é ü 漢字 😀',
  '\u2028\u007f',
];
const numbers = [
  '0',
  '-0',
  '1e400',
  '-1e400',
  '1e-400',
  '0.1',
  '-0.0E+7',
  '9007199254740993',
  '5e-324',
  '1e23',
];

/** Returns the text of a random value. */
function randomJson(random: Random, depth = 0): string {
  const space = () => pick(random, spaces);
  const kind = below(random, depth > 5 ? 4 : 7);
  if (kind === 0) return pick(random, ['null', 'true', 'false']);
  if (kind === 1) return randomNumber(random);
  if (kind === 2) return pick(random, numbers);
  if (kind === 3) return `"${pick(random, texts)}"`;
  const items = Array.from({ length: below(random, 5) }, () => {
    const value = `${space()}${randomJson(random, depth + 1)}${space()}`;
    return kind < 6 ? value : `${space()}"${pick(random, texts)}"${space()}:${value}`;
  });
  return kind < 6 ? `[${items.join(',') || space()}]` : `{${items.join(',') || space()}}`;
}

function randomNumber(random: Random): string {
  const digits = (most: number) =>
    Array.from({ length: 1 + below(random, most) }, () => below(random, 10)).join('');
  const whole = random() < 0.4 ? '0' : `${1 + below(random, 9)}${random() < 0.5 ? digits(12) : ''}`;
  const fraction = random() < 0.8 ? `.${digits(22)}` : '';
  const exponent =
    random() < 0.3 ? `${pick(random, ['e', 'E'])}${pick(random, ['', '+', '-'])}${below(random, 40)}` : '';
  return `${random() < 0.5 ? '-' : ''}${whole}${fraction}${exponent}`;
}

t.test('random JSON has the values that JSON.parse returns, in slices of any size', async (t) => {
  const wrong: string[] = [];
  const seeds = forSeeds((random, seed) => {
    const bytes = Buffer.from(`${pick(random, spaces)}${randomJson(random)}${pick(random, spaces)}`);
    const own = readOwn(bytes, 1 + below(random, 40));
    if (!isDeepStrictEqual(own, readStandard(bytes))) wrong.push(`seed ${seed}: ${bytes}`);
  });
  t.same(wrong.slice(0, 3), []);
  t.comment(`${seeds} texts`);
});

t.test('damaged JSON is accepted or refused as JSON.parse does, with the same values', async (t) => {
  const wrong: string[] = [];
  let [accepted, refused] = [0, 0];
  const syntax = Buffer.from('[]{},:"\\0123456789.eE+-tfnu \n');
  forSeeds((random, seed) => {
    let bytes = Buffer.from(randomJson(random));
    if (random() < 0.5) bytes = Buffer.from(mutate(bytes, random));
    else if (bytes.length > 0) bytes[below(random, bytes.length)] = pick(random, [...syntax]);
    const [own, standard] = [readOwn(bytes, 1 + below(random, 40)), readStandard(bytes)];
    if ('value' in standard) accepted++;
    else refused++;
    if (!isDeepStrictEqual(own, standard)) wrong.push(`seed ${seed}: ${bytes.toString('base64')}`);
  });
  t.same(wrong.slice(0, 3), []);
  t.ok(accepted > 10 && refused > 10, `${accepted} accepted, ${refused} refused`);
});

t.test('a number is the float64 that JSON.parse returns, also close to the middle of two', async (t) => {
  const scanner = new NumberScanner();
  const wrong: string[] = [];
  forSeeds((random) => {
    for (let i = 0; i < 50; i++) {
      const middle = BigInt(2 ** 53) + BigInt(below(random, 2 ** 53)) * 2n + 1n;
      const float = Math.fround(random() * 4 - 2);
      for (const text of [randomNumber(random), String(float), String(random()), String(middle)]) {
        const bytes = Buffer.from(text);
        const value = scanner.scan(bytes, 0, bytes.length);
        if (!Object.is(value, JSON.parse(text)) || scanner.end !== bytes.length) wrong.push(text);
      }
    }
  });
  t.same(wrong.slice(0, 3), []);
});

t.test('the error states the byte and what was expected there', async (t) => {
  const errors: Record<string, string> = {
    '': 'expected a value at byte 0, got its end',
    '[1,]': 'expected a value at byte 3, got ]',
    '[1 2]': 'expected a comma or the end of the list or object at byte 3, got 2',
    '{"a" 1}': 'expected a colon at byte 5, got 1',
    '{"é":1,}': 'expected a name at byte 8, got }',
    '{1:2}': 'expected a name or } at byte 1, got 1',
    '01': 'expected the end of the text at byte 1, got 1',
    '-x': 'expected a digit at byte 1, got x',
    '"a\u0001"': 'expected a text without control characters at byte 2, got 0x01',
    '"\\x"': 'expected an escape of JSON at byte 2, got x',
    '"\\u12g4"': 'expected four hexadecimal digits at byte 5, got g',
    '"a': 'expected the quote that ends the text at byte 2, got its end',
    NaN: 'expected a value at byte 0, got N',
    '[-Infinity]': 'expected a digit at byte 2, got I',
    nul: 'expected null at byte 3, got its end',
  };
  for (const [text, message] of Object.entries(errors))
    t.throws(() => viewJson(text), new JsonSyntaxError(message), text);
});

t.test('depth, values, numbers and texts have limits, and JSON exactly at the limit is read', async (t) => {
  const limits = { maxDepth: 3, maxValues: 10 };
  const refused: [text: string, message: RegExp][] = [
    ['[[[[', /At byte 3 the body is nested deeper than 3/],
    ['[0,0,0,0,0,0,0,0,0,0]', /more than 10 values/],
    ['[{},{},{},{},{},{},{},{},{},{}]', /more than 10 values/],
    ['{"a":1,"a":1,"a":1,"a":1,"a":1}', /more than 10 values/],
    ['1'.repeat(1025), /The number at byte 0 has more than 1024 characters/],
  ];
  for (const [text, message] of refused) {
    t.throws(() => viewJson(text, limits), { message }, text.slice(0, 40));
    t.throws(() => viewJson(text, limits), JsonLimitError);
  }
  for (const text of ['[[[]]]', '[0,0,0,0,0,0,0,0,0]', '1'.repeat(1024)])
    t.same(convert(viewJson(text, limits), ample), JSON.parse(text));
  const few: ConvertLimits = { maxValues: 4, maxTextBytes: 5 };
  t.same(convert(viewJson('{"a":[1,"12345"]}'), { ...few, maxValues: 5 }), { a: [1, '12345'] });
  t.throws(
    () => convert(viewJson('{"a":[1,2]}'), few),
    /Outside its tensors the body has more than 4 values/,
  );
  t.throws(() => convert(viewJson('["123456"]'), few), /expected a text of at most 5 bytes, got 6/);
});

t.test('members that are kept as views describe themselves in a few characters', async (t) => {
  const long = 'x'.repeat(1000);
  const descriptions: Record<string, string> = {
    null: 'null',
    false: 'false',
    '-0.5': '-0.5',
    '1e400': 'Infinity',
    '[1,[2,3]]': 'a list of 2',
    '{}': 'an object with no keys',
    '{"a":[1],"b":2}': 'an object with a, b',
    '"é"': '"é"',
    [`"${long}"`]: `"${'x'.repeat(39)}…`,
  };
  for (const [text, description] of Object.entries(descriptions)) {
    const { data } = convert(viewJson(`{"data":${text}}`), ample, new Set(['data'])) as {
      data: ReturnType<typeof viewJson>;
    };
    t.equal(data.describe(), description);
  }
});
