// npm run bench:train: images/s of full training steps with Adam, blocked and portable, and PyTorch's where it is installed.
//
//   QUATI_PYTHON=<python with torch>   the peer (default: python3); without torch its column stays empty
//   --rounds 5 --seconds 3             rounds take turns, so that a noisy machine is noisy for all
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { median } from 'simple-statistics';
import { probeBlockSize } from '../dist/toolkit/lowering/probe.js';
import { glorotUniform } from '../dist/toolkit/training/initialisers.js';
import { createOptimiser } from '../dist/toolkit/training/optimisers.js';
import { collectParameters, flatten } from '../dist/toolkit/training/parameters.js';
import { createTrainer } from '../dist/toolkit/training/trainer.js';
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

const block = await probeBlockSize();
const peer = await startPeer();
const rows = [];
for (const net of nets.filter(({ name }) => flags.nets.split(',').includes(name))) {
  for (const batch of flags.batches.split(',').map(Number)) rows.push(await measure(net, batch));
}
peer?.stop();
report(rows);

async function measure(net, batch) {
  const contenders = {
    blocked: block === undefined ? undefined : await quatiSteps(net, batch, block),
    portable: await quatiSteps(net, batch, undefined),
    pytorch: peer && { run: () => peer.ask({ net: net.name, batch, seconds, threads }) },
  };
  const speeds = { blocked: [], portable: [], pytorch: [] };
  for (let round = 0; round < rounds; round++) {
    for (const [name, contender] of Object.entries(contenders)) {
      if (contender) speeds[name].push(await contender.run());
    }
    process.stderr.write(`${net.name} batch ${batch}: round ${round + 1} of ${rounds}\n`);
  }
  for (const contender of Object.values(contenders)) await contender?.release?.();
  const measured = Object.entries(speeds).filter(([, all]) => all.length > 0);
  const medians = Object.fromEntries(measured.map(([name, all]) => [name, median(all)]));
  return { net: net.name, batch, ...medians };
}

/** Steps for so many seconds → images/s. */
async function quatiSteps(net, batch, block) {
  const parameters = collectParameters(net, glorotUniform(1));
  const optimiser = createOptimiser({ kind: 'adam' });
  const flat = flatten(parameters.layout, parameters.tensors, net.name);
  const trainer = await createTrainer({
    architecture: net,
    parameters,
    optimiser,
    threads,
    block,
    state: {
      step: 0,
      parameters: flat,
      optimiser: optimiser.stateNames.map(() => new Float32Array(flat.length)),
    },
  });
  const { channels, height, width } = net.input;
  const images = Float32Array.from({ length: batch * channels * height * width }, Math.random);
  const labels = BigInt64Array.from({ length: batch }, (_, i) => BigInt(i % 10));
  const step = () => trainer.step({ images, labels, count: batch }, 0.001);
  await step();
  return {
    release: () => trainer.release(),
    async run() {
      const began = performance.now();
      let steps = 0;
      while (performance.now() - began < seconds * 1000) {
        await step();
        steps += 1;
      }
      return (steps * batch * 1000) / (performance.now() - began);
    },
  };
}

/** One Python process that answers a line of JSON with a line of JSON; undefined where torch is missing. */
async function startPeer() {
  const python = process.env.QUATI_PYTHON ?? 'python3';
  const child = spawn(python, ['bench/peers/train_pytorch.py'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.on('error', () => {});
  const { value: hello } = await lines.next();
  if (!hello) return undefined;
  return {
    version: JSON.parse(hello).torch,
    stop: () => child.stdin.end(),
    async ask(question) {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      const { value } = await lines.next();
      return JSON.parse(value).imagesPerSecond;
    },
  };
}

function report(rows) {
  const ratio = ({ blocked, portable, pytorch }) =>
    pytorch === undefined ? '' : ((blocked ?? portable) / pytorch).toFixed(2);
  const cell = (speed) => (speed === undefined ? '' : speed.toFixed(0));
  const lines = [
    '# Training speed',
    '',
    `Images/s of full training steps (forward, backward, Adam), medians of ${rounds} alternated rounds of ${seconds} s, ${threads} threads,`,
    `${cpus()[0]?.model ?? 'unknown CPU'}; blocks of ${block ?? 'no'} channels; PyTorch ${peer?.version ?? 'not installed'}.`,
    'Made by `npm run bench:train`.',
    '',
    '| network | batch | blocked | portable | PyTorch | ratio |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...rows.map(
      (row) =>
        `| ${row.net} | ${row.batch} | ${cell(row.blocked)} | ${cell(row.portable)} | ${cell(row.pytorch)} | ${ratio(row)} |`,
    ),
    '',
  ];
  const text = lines.join('\n');
  process.stdout.write(text);
  if (flags.out) writeFileSync(flags.out, text);
}
