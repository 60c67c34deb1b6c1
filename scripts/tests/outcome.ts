// The output and exit code of a test file, or of several in one process → the counts, and whether each file failed.

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** What the runner shows of a file. */
export interface Outcome extends Counts {
  name: string;
  seconds: string;
  /** What was printed, if it failed. */
  output: string;
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

const fileEnd = /^# file (\S+) (\{.*\}) ([\d.]+)\r?$/gm;

/**
 * Reads the lines that together.ts writes after each file. The first file without such a line ended the process, or waited for ever:
 * the rest of the output is its own, and the files after it fail too, as nobody ran them. If the process fails although no file did,
 * the last one fails: what it left behind did that.
 */
export function readOutcomes(names: readonly string[], output: string, exitCode: number): Outcome[] {
  const ends = [...output.matchAll(fileEnd)];
  const rest = output.slice(endOf(ends.at(-1)));
  const outcomes = names.map((name, i): Outcome => {
    const [, , counts = '', seconds = ''] = ends[i] ?? [];
    if (ends[i] === undefined) {
      const why = i === ends.length ? rest : 'It did not run: an earlier file of its process did not end.\n';
      return { name, seconds: '0.0', output: why, passed: 0, failed: 1, skipped: 0 };
    }
    const read = JSON.parse(counts) as Counts;
    const ran = read.passed + read.failed + read.skipped > 0;
    const own = output.slice(endOf(ends[i - 1]), ends[i]?.index);
    return { name, seconds, output: own, ...read, failed: ran ? read.failed : 1 };
  });
  const last = outcomes.at(-1);
  if (last && exitCode !== 0 && outcomes.every(({ failed }) => failed === 0)) {
    last.failed = 1;
    last.output += rest;
  }
  return outcomes;
}

function endOf(match: RegExpMatchArray | undefined): number {
  return match ? (match.index ?? 0) + match[0].length + 1 : 0;
}

export function sumOf(all: readonly Counts[]): Counts {
  const sum = (key: keyof Counts) => all.reduce((total, counts) => total + counts[key], 0);
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
}
