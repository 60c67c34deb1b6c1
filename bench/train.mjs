// npm run bench:train: images/s and memory of full training steps with Adam, blocked and portable, and PyTorch's where it is installed.
//
//   QUATI_PYTHON=<python with torch>   the peer (default: python3); without torch its columns stay empty
//   --rounds 5 --seconds 3             rounds take turns, so that a noisy machine is noisy for all
//   --nets resnet-20 --batches 128     some of them; --out <file> writes the table
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { median } from 'simple-statistics';
import { nets } from './nets.mjs';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    batches: { type: 'string', default: '32,128' },
    nets: { type: 'string', default: nets.map(({ name }) => name).join() },
    out: { type: 'string' },
  },
});
const rounds = Number(flags.rounds);
const seconds = Number(flags.seconds);
const threads = availableParallelism();
const quati = [process.execPath, 'bench/peers/train_quati.mjs'];
const pytorch = [process.env.QUATI_PYTHON ?? 'python3', 'bench/peers/train_pytorch.py'];
const said = {};

const rows = [];
for (const { name } of nets.filter(({ name }) => flags.nets.split(',').includes(name))) {
  for (const batch of flags.batches.split(',').map(Number)) rows.push(await measure(name, batch));
}
report(rows);

/** Each contender in a process of its own, so that its memory is its own. */
async function measure(net, batch) {
  const question = { net, batch, seconds, threads };
  const contenders = {
    blocked: await startPeer(quati, question),
    portable: await startPeer(quati, { ...question, portable: true }),
    pytorch: await startPeer(pytorch, question),
  };
  Object.assign(said, contenders.blocked?.hello, contenders.pytorch?.hello);
  if (said.block === undefined) {
    contenders.blocked.stop();
    contenders.blocked = undefined;
  }
  const answers = { blocked: [], portable: [], pytorch: [] };
  for (let round = 0; round < rounds; round++) {
    for (const [name, contender] of Object.entries(contenders)) {
      if (contender) answers[name].push(await contender.ask());
    }
    process.stderr.write(`${net} batch ${batch}: round ${round + 1} of ${rounds}\n`);
  }
  for (const contender of Object.values(contenders)) contender?.stop();
  const measured = Object.entries(answers).filter(([, all]) => all.length > 0);
  return { net, batch, ...Object.fromEntries(measured.map(([name, all]) => [name, summarise(all)])) };
}

/** Memory grows while the first round opens its sessions: what it gains after that is what epochs would add. */
function summarise(answers) {
  return {
    speed: median(answers.map(({ imagesPerSecond }) => imagesPerSecond)),
    peak: Math.max(...answers.map(({ peak }) => peak)),
    growth: answers.at(-1).rss - answers[0].rss,
  };
}

/** A process that answers a line of JSON with a line of JSON; undefined where it does not start, as without torch. */
async function startPeer([command, script], question) {
  const child = spawn(command, [script], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.on('error', () => {});
  const { value: hello } = await lines.next();
  if (!hello) return undefined;
  return {
    hello: JSON.parse(hello),
    stop: () => child.stdin.end(),
    async ask() {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      const { value } = await lines.next();
      if (!value) throw new Error(`${script}: ended while it trained ${question.net}`);
      return JSON.parse(value);
    },
  };
}

function report(rows) {
  const contenders = ['blocked', 'portable', 'pytorch'];
  const cell = (value, digits = 0) => (value === undefined ? '' : value.toFixed(digits));
  const ratio = ({ blocked, portable, pytorch }) => pytorch && (blocked ?? portable).speed / pytorch.speed;
  const megabytes = (bytes) => cell(bytes === undefined ? undefined : bytes / 1e6);
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const lines = [
    '# Training speed',
    '',
    `Images/s of full training steps (forward, backward, Adam), medians of ${rounds} alternated rounds of ${seconds} s, ${threads} threads,`,
    `${cpus()[0]?.model ?? 'unknown CPU'}; blocks of ${said.block ?? 'no'} channels; PyTorch ${said.torch ?? 'not installed'}.`,
    'Made by `npm run bench:train`.',
    '',
    line(['network', 'batch', 'blocked', 'portable', 'PyTorch', 'ratio']),
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...rows.map((row) =>
      line([row.net, row.batch, ...contenders.map((name) => cell(row[name]?.speed)), cell(ratio(row), 2)]),
    ),
    '',
    `Memory of each contender's process (resident set), MB: the peak, and in brackets what the rounds after the first added. A round ends with a`,
    'smaller last batch and an evaluation, as an epoch does.',
    '',
    line(['network', 'batch', 'blocked', 'portable', 'PyTorch']),
    '| --- | ---: | ---: | ---: | ---: |',
    ...rows.map((row) =>
      line([
        row.net,
        row.batch,
        ...contenders.map(
          (name) => row[name] && `${megabytes(row[name].peak)} (${megabytes(row[name].growth)})`,
        ),
      ]),
    ),
    '',
  ];
  const text = lines.join('\n');
  process.stdout.write(text);
  if (flags.out) writeFileSync(flags.out, text);
}
