// npm test: compiled test files → one line per file, the output of failed files, and the counts as the last line.
//
//   npm test                        every file
//   npm run test:unit               every file that slow.ts does not list
//   npm test -- inference/workers   every file with this, or another argument, in its path
//   --jobs 2                        the number of processes at the same time (default: one more than processors, as some wait)
//   --folder build/test
//
// The files that slow.ts lists as such, and those that are chosen by their path, have a process of their own, `node <file>`. The others
// share processes: together.ts. tap's own runner loads every module of a process through hooks that coverage needs: on Node 20 that adds about half a
// second of processor time to each file.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { availableParallelism, constants } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import pMap from 'p-map';
import { type Outcome, readOutcome, readOutcomes, sumOf } from './outcome.js';
import { alone, slow } from './slow.js';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    unit: { type: 'boolean', default: false },
    jobs: { type: 'string', default: String(availableParallelism() + 1) },
    folder: { type: 'string', default: 'build/test' },
  },
});
const suffix = '.test.js';
const together = 'build/scripts/tests/together.js';
/** Few, so that the processes end at about the same time. */
const [slowPerProcess, quickPerProcess] = [4, 15];
/** A test stops after ten minutes. A process that does not is stopped after eleven. */
const [testSeconds, processSeconds] = [600, 660];

const all = (await pMap(chosenProcesses(), runFiles, { concurrency: Number(flags.jobs) })).flat();
const names = all.filter(({ failed }) => failed > 0).map(({ name }) => name);
if (names.length > 0) console.log(`\nfailed: ${names.sort().join(', ')}`);
const { passed, failed, skipped } = sumOf(all);
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

/** Returns the files of each process. The slow ones come first, so that the others fill the gaps at the end. */
function chosenProcesses(): string[][] {
  const found = readdirSync(flags.folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(suffix))
    .map((file) => file.slice(0, -suffix.length))
    .sort();
  if (positionals.length > 0)
    return found.filter((name) => positionals.some((part) => name.includes(part))).map((name) => [name]);
  const isQuick = (name: string) => !isIn(alone, name) && !isIn(slow, name);
  const quick = inParts(found.filter(isQuick), quickPerProcess);
  if (flags.unit) return quick;
  const own = found.filter((name) => isIn(alone, name)).map((name) => [name]);
  const shared = found.filter((name) => isIn(slow, name));
  return [...own, ...inParts(shared, slowPerProcess), ...quick];
}

function isIn(list: readonly string[], name: string): boolean {
  return list.some((entry) => (entry.endsWith('/') ? name.startsWith(entry) : name === entry));
}

function inParts(names: readonly string[], length: number): string[][] {
  const count = Math.ceil(names.length / length);
  return Array.from({ length: count }, (_, i) => names.slice(i * length, (i + 1) * length));
}

async function runFiles(names: string[]): Promise<Outcome[]> {
  const outcomes = await outcomesOf(names);
  for (const { name, seconds, failed, output } of outcomes) {
    console.log(`${failed > 0 ? 'not ok' : 'ok'} ${name} (${seconds} s)`);
    if (failed > 0) console.log(output);
  }
  return outcomes;
}

async function outcomesOf(names: string[]): Promise<Outcome[]> {
  const files = names.map((name) => path.join(flags.folder, `${name}${suffix}`));
  const [name, ...others] = names;
  if (name === undefined) return [];
  if (others.length === 0) {
    const { output, errors, code, seconds } = await runProcess(files);
    return [{ name, seconds, output: `${output}${errors}`, ...readOutcome(output, code) }];
  }
  const { output, errors, code } = await runProcess([together], files.join('\n'));
  const outcomes = readOutcomes(names, output, code);
  for (const outcome of outcomes) outcome.output += errors;
  return outcomes;
}

async function runProcess(
  argv: string[],
  input = '',
): Promise<{ output: string; errors: string; code: number; seconds: string }> {
  const start = performance.now();
  const child = spawn(process.execPath, argv, {
    env: { ...process.env, TAP: '1', TAP_TIMEOUT: String(testSeconds), QUATI_CACHE: '' },
    timeout: processSeconds * 1000,
    killSignal: 'SIGKILL',
  });
  // A process that does not read it may have ended before it is written.
  child.stdin.on('error', () => {}).end(input);
  const [output, errors, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
  ]);
  return {
    output,
    errors: `${errors}${signal ? `ended by ${signal}\n` : ''}`,
    code: code ?? 128 + (signal ? constants.signals[signal] : 0),
    seconds: ((performance.now() - start) / 1000).toFixed(1),
  };
}
