// npm test: compiled test files → one line per file, the output of failed files, and the counts as the last line.
//
//   npm test                        every file
//   npm run test:unit               every file that slow.ts does not list
//   npm test -- inference/workers   every file with this, or another argument, in its path
//   --jobs 2                        the number of processes at the same time (default: one more than processors, as some wait)
//   --folder build/test
//
// Each file runs as `node <file>`. tap's own runner loads every module of a process through hooks that coverage needs: on Node 20 that
// adds about half a second of processor time to each file.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { availableParallelism, constants } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import pMap from 'p-map';
import { type Counts, readOutcome, sumOf } from './outcome.js';
import { slow } from './slow.js';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    unit: { type: 'boolean', default: false },
    jobs: { type: 'string', default: String(availableParallelism() + 1) },
    folder: { type: 'string', default: 'build/test' },
  },
});
const suffix = '.test.js';
/** A test stops after ten minutes. A process that does not is stopped after eleven. */
const [testSeconds, processSeconds] = [600, 660];

const names = chosenNames();
const all = await pMap(names, runFile, { concurrency: Number(flags.jobs) });
const failed = names.filter((_, i) => (all[i]?.failed ?? 0) > 0);
if (failed.length > 0) console.log(`\nfailed: ${failed.join(', ')}`);
const { passed, ...others } = sumOf(all);
console.log(`\n${passed} passed, ${others.failed} failed, ${others.skipped} skipped`);
process.exitCode = others.failed > 0 || passed === 0 ? 1 : 0;

/** Returns the slow files first, so that the others fill the gaps at the end. */
function chosenNames(): string[] {
  const found = readdirSync(flags.folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(suffix))
    .map((file) => file.slice(0, -suffix.length))
    .sort();
  const chosen = found.filter(
    (name) => positionals.length === 0 || positionals.some((part) => name.includes(part)),
  );
  const quick = chosen.filter((name) => !isSlow(name));
  return flags.unit ? quick : [...chosen.filter(isSlow), ...quick];
}

function isSlow(name: string): boolean {
  return slow.some((entry) => (entry.endsWith('/') ? name.startsWith(entry) : name === entry));
}

async function runFile(name: string): Promise<Counts> {
  const start = performance.now();
  const child = spawn(process.execPath, [path.join(flags.folder, `${name}${suffix}`)], {
    env: { ...process.env, TAP: '1', TAP_TIMEOUT: String(testSeconds), QUATI_CACHE: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: processSeconds * 1000,
    killSignal: 'SIGKILL',
  });
  const [output, errors, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
  ]);
  const outcome = readOutcome(output, code ?? 128 + (signal ? constants.signals[signal] : 0));
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${outcome.failed > 0 ? 'not ok' : 'ok'} ${name} (${seconds} s)`);
  if (outcome.failed > 0) console.log(`${output}${errors}${signal ? `ended by ${signal}\n` : ''}`);
  return outcome;
}
