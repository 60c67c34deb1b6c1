// The results of checks → one line per check on standard output, and the counts.
type Outcome = 'passed' | 'failed' | 'skipped';

export interface Tally {
  /** Prints a line, and counts it. */
  add(outcome: Outcome, title: string): void;
  /** Passed if there are no faults; else failed, and the first ten are printed. */
  judge(title: string, faults: readonly string[]): void;
  /** Prints `N passed, N failed, N skipped`. @returns the exit code: 1 if a check failed, or none passed. */
  finish(): number;
}

export function createTally(): Tally {
  const counts = { passed: 0, failed: 0, skipped: 0 };

  function print(outcome: Outcome, title: string, details: readonly string[]): void {
    counts[outcome]++;
    process.stdout.write([`${outcome}: ${title}`, ...details.map((detail) => `  ${detail}`), ''].join('\n'));
  }

  return {
    add: (outcome, title) => print(outcome, title, []),
    judge: (title, faults) => print(faults.length === 0 ? 'passed' : 'failed', title, faults.slice(0, 10)),
    finish() {
      const { passed, failed, skipped } = counts;
      process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`);
      return failed > 0 || passed === 0 ? 1 : 0;
    },
  };
}

export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
