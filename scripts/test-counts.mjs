#!/usr/bin/env node
// a test command that prints TAP → its output unchanged, a last line `N passed, N failed, N skipped`, its exit code.
// Usage: node scripts/test-counts.mjs npx tap [arguments]
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { pathToFileURL } from 'node:url';

/**
 * The counts of tap's last unindented summary, `# { total: 3, pass: 2, fail: 1 }`: zeros are left out there, todo
 * counts as skipped, and without any test there is no such line.
 * @param {string} output
 * @returns {{ total: number, passed: number, failed: number, skipped: number }}
 */
export function readCounts(output) {
  const summary = [...output.matchAll(/^# \{ (.*) \}\r?$/gm)].at(-1)?.[1] ?? '';
  const counts = new Map(
    [...summary.matchAll(/(\w+): (\d+)/g)].map(([, key, value]) => [key, Number(value)]),
  );
  const read = (/** @type {string} */ key) => counts.get(key) ?? 0;
  return {
    total: read('total'),
    passed: read('pass'),
    failed: read('fail'),
    skipped: read('skip') + read('todo'),
  };
}

/**
 * What the command exits with; but no test at all, and a failed test that it exited 0 for, are failures.
 * @param {{ total: number, failed: number }} counts
 * @param {number} commandExitCode
 */
export function exitCodeOf({ total, failed }, commandExitCode) {
  if (commandExitCode !== 0) return commandExitCode;
  return total === 0 || failed > 0 ? 1 : 0;
}

/** @param {{ passed: number, failed: number, skipped: number }} counts */
export function countsLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/**
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<{ output: string, exitCode: number }>}
 */
function echo(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['inherit', 'pipe', 'inherit'] });
    /** @type {Buffer[]} */
    const chunks = [];
    child.stdout.on('data', (chunk) => {
      chunks.push(chunk);
      process.stdout.write(chunk);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
      resolve({ output: Buffer.concat(chunks).toString(), exitCode });
    });
  });
}

async function main() {
  const [command, ...args] = process.argv.slice(2);
  if (command === undefined) {
    console.error('usage: node scripts/test-counts.mjs <command> [arguments]');
    process.exitCode = 2;
    return;
  }
  try {
    const { output, exitCode } = await echo(command, args);
    const counts = readCounts(output);
    if (counts.total === 0) console.error('test-counts: no test ran');
    console.log(countsLine(counts));
    process.exitCode = exitCodeOf(counts, exitCode);
  } catch (error) {
    console.error(`test-counts: ${command} could not be started: ${/** @type {Error} */ (error).message}`);
    process.exitCode = 127;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
