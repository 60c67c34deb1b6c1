// npm run bench:train: images/s and memory of full training steps with Adam, blocked and portable, and of PyTorch if it is installed.
//
//   QUATI_PYTHON=<python with torch>   the peer (default: python3); without torch its columns stay empty
//   --rounds 5 --seconds 3             the contenders alternate in each round, so that other load affects all of them
//   --nets resnet-20 --batches 128     some of them; --out <file> writes the table
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { median } from 'simple-statistics';
import { nets } from './nets.js';
import type { Answer, Hello, Question } from './peers/train-protocol.js';
import { plainScript } from './plain-script.js';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    batches: { type: 'string', default: '32,128' },
    nets: { type: 'string', default: nets.map(({ name }) => name).join() },
    out: { type: 'string' },
  },
});

const contenderNames = ['blocked', 'portable', 'pytorch'] as const;
type ContenderName = (typeof contenderNames)[number];

interface Contender {
  hello: Hello;
  ask(): Promise<Answer>;
  stop(): void;
}

interface Summary {
  /** Images/s. */
  speed: number;
  /** The resident bytes: the peak, and the increase after the first round. */
  peak: number;
  growth: number;
}

interface Row {
  net: string;
  batch: number;
  summaries: Partial<Record<ContenderName, Summary>>;
}

const rounds = Number(flags.rounds);
const seconds = Number(flags.seconds);
const threads = availableParallelism();
const quati = [process.execPath, plainScript('bench/peers/train_quati.ts')] as const;
const pytorch = [process.env.QUATI_PYTHON ?? 'python3', 'bench/peers/train_pytorch.py'] as const;
/** The facts in the first lines of the processes. */
const known: Hello = {};

const rows: Row[] = [];
for (const { name } of nets.filter(({ name }) => flags.nets.split(',').includes(name))) {
  for (const batch of flags.batches.split(',').map(Number)) rows.push(await measure(name, batch));
}
const text = describe(rows);
process.stdout.write(text);
if (flags.out) writeFileSync(flags.out, text);

async function measure(net: string, batch: number): Promise<Row> {
  const contenders = await startContenders({ net, batch, seconds, threads });
  const answers = new Map<ContenderName, Answer[]>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, contender] of contenders)
      answers.set(name, [...(answers.get(name) ?? []), await contender.ask()]);
    process.stderr.write(`${net} batch ${batch}: round ${round + 1} of ${rounds}\n`);
  }
  for (const contender of contenders.values()) contender.stop();
  const summaries = Object.fromEntries([...answers].map(([name, all]) => [name, summarise(all)]));
  return { net, batch, summaries };
}

/** Starts each contender in a separate process, to measure its memory. Skips contenders without blocked operators or torch. */
async function startContenders(question: Question): Promise<Map<ContenderName, Contender>> {
  const started: Record<ContenderName, Contender | undefined> = {
    blocked: await startContender(quati, question),
    portable: await startContender(quati, { ...question, portable: true }),
    pytorch: await startContender(pytorch, question),
  };
  Object.assign(known, started.blocked?.hello, started.pytorch?.hello);
  if (known.block === undefined) {
    started.blocked?.stop();
    started.blocked = undefined;
  }
  return new Map(
    contenderNames.flatMap((name) => {
      const contender = started[name];
      return contender ? [[name, contender]] : [];
    }),
  );
}

/** Memory grows while the first round creates its sessions. The increase after that is what epochs would add. */
function summarise(answers: readonly Answer[]): Summary {
  const [first, last] = [answers[0], answers.at(-1)];
  return {
    speed: median(answers.map(({ imagesPerSecond }) => imagesPerSecond)),
    peak: Math.max(...answers.map(({ peak }) => peak)),
    growth: first && last ? last.rss - first.rss : 0,
  };
}

/** Returns undefined if the process does not start, for example without torch. */
async function startContender(
  [command, script]: readonly [string, string],
  question: Question,
): Promise<Contender | undefined> {
  const child = spawn(command, [script], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.on('error', () => {});
  const { value: hello } = await lines.next();
  if (!hello) return undefined;
  return {
    hello: JSON.parse(hello) as Hello,
    stop: () => child.stdin.end(),
    async ask() {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      const { value } = await lines.next();
      if (!value) throw new Error(`${script}: exited while it trained ${question.net}`);
      return JSON.parse(value) as Answer;
    },
  };
}

function describe(rows: readonly Row[]): string {
  return `# Training speed

Images/s of full training steps (forward, backward, Adam), medians of ${rounds} alternated rounds of ${seconds} s, ${threads} threads,
${cpus()[0]?.model ?? 'unknown CPU'}; blocks of ${known.block ?? 'no'} channels; PyTorch ${known.torch ?? 'not installed'}.
Made by \`npm run bench:train\`.

${table(
  ['ratio'],
  rows,
  ({ speed }) => speed.toFixed(0),
  (row) => [ratioOf(row)],
)}

Memory of each contender's process (resident set), MB: the peak, and in brackets what the rounds after the first added. A round ends with a
smaller last batch and an evaluation, as an epoch does.

${table(
  [],
  rows,
  ({ peak, growth }) => `${megabytes(peak)} (${megabytes(growth)})`,
  () => [],
)}
`;
}

/** Returns one row per network and batch: one cell per contender, then further cells. */
function table(
  further: readonly string[],
  rows: readonly Row[],
  cell: (summary: Summary) => string,
  furtherCells: (row: Row) => readonly string[],
): string {
  const header = ['network', 'batch', 'blocked', 'portable', 'PyTorch', ...further];
  const rule = header.map((_, i) => (i === 0 ? '---' : '---:'));
  const lines = rows.map((row) => {
    const summaries = contenderNames.map((name) => row.summaries[name]);
    const cells = summaries.map((summary) => (summary ? cell(summary) : ''));
    return [row.net, row.batch, ...cells, ...furtherCells(row)];
  });
  return [header, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Quati's images/s divided by those of PyTorch. */
function ratioOf({ summaries: { blocked, portable, pytorch } }: Row): string {
  const ours = blocked ?? portable;
  return ours && pytorch ? (ours.speed / pytorch.speed).toFixed(2) : '';
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
