// The output and exit code of a test file → its counts, and whether it failed.

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Reads tap's last unindented summary, `# { total: 3, pass: 2, fail: 1 }`. It leaves zeros out, and is missing if no test ran.
 * Tests that are marked as todo count as skipped. A file fails without a failed test if it exits with another code than 0, or if
 * no test ran.
 */
export function readOutcome(output: string, exitCode: number): Counts {
  const summary = [...output.matchAll(/^# \{ (.*) \}\r?$/gm)].at(-1)?.[1] ?? '';
  const counts = new Map(
    [...summary.matchAll(/(\w+): (\d+)/g)].map(([, key, value]) => [key, Number(value)]),
  );
  const read = (key: string) => counts.get(key) ?? 0;
  const skipsAll = /^1\.\.0 # skip/im.test(output);
  const skipped = read('skip') + read('todo') + (skipsAll ? 1 : 0);
  const ran = read('total') > 0 || skipsAll;
  const failed = read('fail');
  return {
    passed: read('pass'),
    failed: failed === 0 && (exitCode !== 0 || !ran) ? 1 : failed,
    skipped,
  };
}

export function sumOf(all: readonly Counts[]): Counts {
  const sum = (key: keyof Counts) => all.reduce((total, counts) => total + counts[key], 0);
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
}
