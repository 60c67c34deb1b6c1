// A test command that prints TAP → its output unchanged, a last line `N passed, N failed, N skipped`, its exit code.
//
//   npx tsx scripts/test-counts.ts npm test
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

interface Counts {
  total: number;
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Reads tap's last unindented summary, `# { total: 3, pass: 2, fail: 1 }`. It leaves zeros out, and is missing if no test ran.
 * Tests that are marked as todo count as skipped.
 */
function readCounts(output: string): Counts {
  const summary = [...output.matchAll(/^# \{ (.*) \}\r?$/gm)].at(-1)?.[1] ?? '';
  const counts = new Map(
    [...summary.matchAll(/(\w+): (\d+)/g)].map(([, key, value]) => [key, Number(value)]),
  );
  const read = (key: string) => counts.get(key) ?? 0;
  return {
    total: read('total'),
    passed: read('pass'),
    failed: read('fail'),
    skipped: read('skip') + read('todo'),
  };
}

/** The command's own exit code; 1 if it exited 0 although a test failed or none ran. */
function exitCodeOf({ total, failed }: Counts, commandExitCode: number): number {
  if (commandExitCode !== 0) return commandExitCode;
  return total === 0 || failed > 0 ? 1 : 0;
}

function countsLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** Runs the command and copies its standard output to ours. */
function echo(command: string, args: readonly string[]): Promise<{ output: string; exitCode: number }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['inherit', 'pipe', 'inherit'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => {
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

async function main(): Promise<void> {
  const [command, ...args] = process.argv.slice(2);
  if (command === undefined) {
    console.error('usage: npx tsx scripts/test-counts.ts <command> [arguments]');
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
    console.error(`test-counts: ${command} could not be started: ${(error as Error).message}`);
    process.exitCode = 127;
  }
}

await main();
