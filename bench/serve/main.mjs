// npm run bench:serve: Quati and its peers on the same models and images, in turns, beside what decoding and inference alone reach.
//
//   QUATI_PYTHON=<python>,<python>  with bench/peers/*/requirements.txt (default: python3); a peer that none of them has is left out
//   --models-folder models --imgs imgs
//   --models cifar10,cats-vs-dogs   default: these two where they are in models/, else all that are there
//   --variant int8 --connections 1,8,32,128 --rounds 3 --seconds 5
//   --soak 300                      so many seconds of 32 connections at the end, watching memory
//   --no-peers                      Quati alone
//   --out <file>                    writes the report, as docs/results/bench-serve.md is
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from 'simple-statistics';
import { countCpus } from '../../dist/inference/workers/cpus.js';
import { findPeers, quati } from './contenders.mjs';
import { startServer } from './processes.mjs';
import { describe } from './report.mjs';

const { values: flags } = parseArgs({
  options: {
    models: { type: 'string' },
    'models-folder': { type: 'string', default: 'models' },
    imgs: { type: 'string', default: 'imgs' },
    'no-peers': { type: 'boolean', default: false },
    variant: { type: 'string', default: 'int8' },
    connections: { type: 'string', default: '1,8,32,128' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    soak: { type: 'string', default: '0' },
    out: { type: 'string' },
  },
});
const modelsFolder = flags['models-folder'];
const firstPort = 9300;
/** After the last start; whoever tidies up when nothing is asked has done so by then. */
const idleSeconds = 65;
const processors = countCpus();
const contenders = [quati, ...(flags['no-peers'] ? [] : findPeers())];
const cells = ['raw', 'multipart'].flatMap((kind) =>
  flags.connections.split(',').map((connections) => ({ kind, connections: Number(connections) })),
);

const results = [];
for (const model of chosenModels()) results.push(await measureModel(model));
const report = describe(results, { flags, processors, processor: cpus()[0]?.model ?? '' });
process.stdout.write(report);
if (flags.out) writeFileSync(flags.out, report);

function chosenModels() {
  if (flags.models) return flags.models.split(',');
  const all = readdirSync(modelsFolder).sort();
  const wanted = all.filter((name) => name === 'cifar10' || name === 'cats-vs-dogs');
  return wanted.length > 0 ? wanted : all;
}

async function measureModel(model) {
  const image = sampleOf(model);
  const version = Math.max(
    ...readdirSync(path.join(modelsFolder, model)).map(Number).filter(Number.isInteger),
  );
  const target = { model, version, image, modelsFolder, variant: flags.variant, processors };
  const servers = [];
  try {
    for (const [i, contender] of contenders.entries())
      servers.push(await open(contender, target, firstPort + i));
    await sleep(idleSeconds * 1000);
    for (const server of servers) server.idleRss = server.process.usage().rss;
    const limit = [];
    for (let round = 0; round < Number(flags.rounds); round++) {
      limit.push((await inProcess(model, image)).imagesPerSecond);
      for (const cell of cells)
        for (const server of servers) if (server.kinds.includes(cell.kind)) await load(server, cell, image);
      process.stderr.write(`${model}: round ${round + 1} of ${flags.rounds}\n`);
    }
    const soak = Number(flags.soak) > 0 ? await soakOf(servers[0], image) : undefined;
    return { model, image, limit, cells, servers, soak };
  } finally {
    for (const server of servers) await server.process.stop();
  }
}

function sampleOf(model) {
  const folder = path.join(flags.imgs, model);
  const files = existsSync(folder) ? readdirSync(folder).sort() : [];
  const file = files.find((name) => /\.(png|jpe?g)$/.test(name));
  if (!file) throw new Error(`${folder} has no image to post`);
  return path.join(folder, file);
}

/** Started as often as there are rounds; the last one stays. */
async function open(contender, target, port) {
  let started;
  const starts = [];
  for (let round = 0; round < Number(flags.rounds); round++) {
    await started?.stop();
    started = await startServer(contender.start({ ...target, port }));
    starts.push(started.readyMs);
  }
  const url = (kind) => contender.url({ ...target, port, kind });
  return {
    name: contender.name,
    kinds: contender.kinds,
    process: started,
    url,
    loopDelay: contender.loopDelay && (() => contender.loopDelay({ ...target, port })),
    readyMs: median(starts),
    measured: new Map(),
  };
}

async function load(server, { kind, connections }, image) {
  await server.loopDelay?.();
  const before = server.process.usage();
  const result = await runJson('load.mjs', server.url(kind), kind, image, connections, flags.seconds);
  const after = server.process.usage();
  if (result.failed > 0)
    throw new Error(`${server.name}: ${result.failed} of ${result.requests + result.failed} requests failed`);
  const measure = {
    ...result,
    cpuMs: (after.cpuMs - before.cpuMs) / result.requests,
    rss: after.rss,
    loopMs: await server.loopDelay?.(),
  };
  const key = `${kind} ${connections}`;
  server.measured.set(key, [...(server.measured.get(key) ?? []), measure]);
}

/** Memory after a tenth of the time, when all has been used once, and at the end. */
async function soakOf(server, image) {
  const seconds = Number(flags.soak);
  const load = (part) => runJson('load.mjs', server.url('raw'), 'raw', image, 32, Math.ceil(seconds * part));
  await load(0.1);
  const early = server.process.usage().rss;
  await load(0.9);
  return { seconds, early, late: server.process.usage().rss };
}

function inProcess(model, image) {
  return runJson('inprocess.mjs', modelsFolder, model, flags.variant, image, flags.seconds);
}

async function runJson(script, ...args) {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, [file, ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (code !== 0) throw new Error(`${script} ${args.join(' ')}: exit code ${code}`);
  return JSON.parse(output);
}
