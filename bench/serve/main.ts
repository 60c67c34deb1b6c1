// npm run bench:serve: Quati and its peers in turn on the same models and images, compared with decoding and inference without HTTP.
//
//   QUATI_PYTHON=<python>,<python>  with bench/peers/*/requirements.txt (default: python3); a peer that none of them has is skipped
//   --models-folder models --imgs imgs
//   --models cifar10,cats-vs-dogs   default: those of these two in models/, else all models
//   --variant int8 --connections 1,8,32,128 --rounds 3 --seconds 5
//   --soak 300                      the seconds of 32 connections at the end, to observe memory
//   --no-peers                      only Quati
//   --out <file>                    writes the report, such as docs/results/bench-serve.md
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { countCpus } from '#dist/inference/workers/cpus.js';
import { latestVersion } from '../latest-version.js';
import { findPeers, quati, type Target, uploads } from './contenders.js';
import { type Cell, measureInProcess, measureLoad, openServer, type Server, soak } from './measure.js';
import { describe, type ModelResult } from './report.js';

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
const rounds = Number(flags.rounds);
const seconds = Number(flags.seconds);
const firstPort = 9300;
/** The time from the last start to the measurement of idle memory. A server that frees memory when idle has done so by then. */
const idleSeconds = 65;
const processors = countCpus();
const contenders = [quati, ...(flags['no-peers'] ? [] : findPeers())];
const cells = uploads.flatMap((upload) =>
  flags.connections.split(',').map((connections): Cell => ({ upload, connections: Number(connections) })),
);

const results: ModelResult[] = [];
for (const model of chosenModels()) results.push(await measureModel(model));
const processor = cpus()[0]?.model ?? '';
const report = describe(results, { rounds, seconds, variant: flags.variant, processors, processor });
process.stdout.write(report);
if (flags.out) writeFileSync(flags.out, report);

function chosenModels(): string[] {
  if (flags.models) return flags.models.split(',');
  const all = readdirSync(modelsFolder).sort();
  const wanted = all.filter((name) => name === 'cifar10' || name === 'cats-vs-dogs');
  return wanted.length > 0 ? wanted : all;
}

async function measureModel(model: string): Promise<ModelResult> {
  const image = sampleOf(model);
  const version = latestVersion(path.join(modelsFolder, model));
  const target: Target = { model, version, image, modelsFolder, variant: flags.variant, processors };
  const servers: Server[] = [];
  try {
    for (const [i, contender] of contenders.entries())
      servers.push(await openServer(contender, target, firstPort + i, rounds));
    await sleep(idleSeconds * 1000);
    for (const server of servers) server.idleRss = server.process.usage().rss;
    const limit: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      limit.push(await measureInProcess(target, seconds));
      for (const cell of cells)
        for (const server of servers)
          if (server.contender.uploads.includes(cell.upload)) await measureLoad(server, cell, seconds);
      process.stderr.write(`${model}: round ${round} of ${rounds}\n`);
    }
    const result = { target, limit, cells, servers };
    const [first] = servers;
    return Number(flags.soak) > 0 && first
      ? { ...result, soak: await soak(first, Number(flags.soak)) }
      : result;
  } finally {
    for (const server of servers) await server.process.stop();
  }
}

function sampleOf(model: string): string {
  const folder = path.join(flags.imgs, model);
  const files = existsSync(folder) ? readdirSync(folder).sort() : [];
  const file = files.find((name) => /\.(png|jpe?g)$/.test(name));
  if (!file) throw new Error(`${folder} has no image to post`);
  return path.join(folder, file);
}
