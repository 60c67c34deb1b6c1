// npm run attack: hostile images and bodies, one at a time and many at once → a server under the shipped memory limit → tables of the results.
//
//   --memory 512     MiB of the control group; the default is the limit in docker/
//   --workers 1,2,4  a server for each
//   --models mnist,cifar10,cats-vs-dogs
//   --mutations 3000 damaged files, one after the other
//   --short          two workers, four at once, fewer mutations: about two minutes
//   --out <file>     also writes the tables there, as docs/results/attack.md has them
//
// Good requests in between must get the same bytes as before. Afterwards the memory must come back. Exit code 1 if something does not hold.
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createTally } from '../tally.js';
import { hostileBodies } from './bodies/catalogue.js';
import { gzipped } from './bodies/json.js';
import { createGoodRequests, type HealthWatch, type Post, post, watchHealth } from './client.js';
import { hostileImages } from './images/catalogue.js';
import { mutations } from './images/mutations.js';
import { type LimitedServer, startLimitedServer } from './limited-server.js';

const { values: flags } = parseArgs({
  options: {
    memory: { type: 'string', default: '512' },
    workers: { type: 'string', default: '1,2,4' },
    models: { type: 'string', default: 'mnist,cifar10,cats-vs-dogs' },
    mutations: { type: 'string', default: '3000' },
    short: { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});
const memoryMb = Number(flags.memory);
const workerCounts = flags.short ? [2] : flags.workers.split(',').map(Number);
const atOnce = flags.short ? 4 : 16;
const mutationCount = flags.short ? 300 : Number(flags.mutations);
const quietMs = flags.short ? 20_000 : 60_000;
/** More than before that may stay resident. */
const keptMb = 60;
/** The image's HEALTHCHECK waits so long. */
const slowestHealthMs = 3000;
const port = 18_600;
const models = flags.short ? ['mnist'] : flags.models.split(',');
const samples: [path: string, file: string][] = [
  ['/predict', 'imgs/cifar10/airplane-1.png'],
  ['/models/mnist/predict', 'imgs/mnist/7-1.png'],
  ['/models/cats-vs-dogs/predict', 'imgs/cats-vs-dogs/cat-1.png'],
];

const tally = createTally();
/** Lines of the tables, for the file. */
const lines: string[] = [];
for (const workers of workerCounts) await attack(workers);
if (flags.out !== undefined) writeFileSync(flags.out, report());
process.exitCode = tally.finish();

function print(text: string): void {
  console.log(text);
  lines.push(text);
}

function report(): string {
  const all = `--memory ${memoryMb} --workers ${workerCounts.join(',')} --models ${models.join(',')} --mutations ${mutationCount}`;
  const command = `npm run attack -- ${flags.short ? '--short' : all}`;
  return `# Hostile images and bodies against a server with a memory limit

Written by \`${command} --out docs/results/attack.md\`. Each image goes to ${models.join(', ')}, alone and ${atOnce} at once. The cells
count the status codes; the last column is the most resident memory meanwhile.
${lines.join('\n')}
`;
}

async function attack(workers: number): Promise<void> {
  const server = await startLimitedServer({
    memoryMb,
    port,
    env: { ...allocator(), QUATI_WORKERS: String(workers), QUATI_LOG_LEVEL: 'error' },
  });
  const health = watchHealth(server.url);
  try {
    print(
      `\n${workers} workers, ${memoryMb} MiB${server.isLimited ? '' : ' (no control group counts memory here: compared, not enforced)'}\n`,
    );
    await run(server, health, workers);
  } finally {
    health.stop();
    await server.stop();
  }
}

/** As docker/Dockerfile and docker/systemd/quati.service set it. A name without a folder is looked up among the system's libraries. */
function allocator(): Record<string, string> {
  return {
    LD_PRELOAD: process.env.LD_PRELOAD ?? 'libjemalloc.so.2',
    MALLOC_CONF: 'background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0',
  };
}

async function run(server: LimitedServer, health: HealthWatch, workers: number): Promise<void> {
  const good = await createGoodRequests(server.url, samples);
  for (let i = 0; i < 20; i++) await good.send();
  await sleep(2000);
  const before = server.residentMb();
  server.takePeakMb();
  const totals = new Map<string, number>();
  let peak = 0;
  print('| attack | alone | at once | peak MiB |\n| --- | --- | --- | --- |');
  for (const [name, posts] of await listAttacks()) {
    const alone: string[] = [];
    for (const one of posts) alone.push(await post(server.url, one));
    const many = Array.from({ length: atOnce }, (_, i) => posts[i % posts.length] as Post);
    const together = await Promise.all(many.map((one) => post(server.url, one)));
    await good.send();
    const here = server.takePeakMb();
    peak = Math.max(peak, here);
    for (const status of [...alone, ...together]) totals.set(status, (totals.get(status) ?? 0) + 1);
    print(`| ${name} | ${describe(alone)} | ${describe(together)} | ${here.toFixed(0)} |`);
    if (!server.isAlive()) break;
  }
  await mutate(server, totals, good.send);
  if (server.isAlive()) peak = Math.max(peak, server.takePeakMb());
  await sleep(quietMs);
  await good.send();
  const restarts = server.isAlive() ? await server.countRestarts() : Number.NaN;
  judge(workers, { server, health, good, totals, before, peak, restarts });
}

async function listAttacks(): Promise<[name: string, posts: Post[]][]> {
  const images = hostileImages.map(async ({ name, bytes }): Promise<[string, Post[]]> => {
    const body = await bytes();
    return [name, models.map((model) => ({ path: `/models/${model}/predict`, body }))];
  });
  const bodies = hostileBodies.map(({ name, protocol, bytes }): [string, Post[]] => [
    `${protocol}: ${name}`,
    [
      {
        path: protocol === 'v1' ? '/v1/models/cifar10:predict' : '/v2/models/cifar10/infer',
        body: gzipped(bytes()),
        headers: { 'content-encoding': 'gzip' },
      },
    ],
  ]);
  return [...(await Promise.all(images)), ...bodies];
}

async function mutate(
  server: LimitedServer,
  totals: Map<string, number>,
  sendGood: () => Promise<void>,
): Promise<void> {
  const files = samples.map(([, file]) => readFileSync(file));
  const small = await Promise.all(
    hostileImages.filter(({ name }) => !/\d{4,}|MB|GB/.test(name)).map(({ bytes }) => bytes()),
  );
  const statuses: string[] = [];
  for (const body of mutations([...files, ...small], mutationCount, 1)) {
    statuses.push(await post(server.url, { path: '/predict', body }));
    if (statuses.length % 100 === 0) await sendGood();
    if (!server.isAlive()) break;
  }
  for (const status of statuses) totals.set(status, (totals.get(status) ?? 0) + 1);
  print(`| ${statuses.length} mutations | ${describe(statuses)} | | ${server.takePeakMb().toFixed(0)} |`);
}

interface Outcome {
  server: LimitedServer;
  health: HealthWatch;
  good: { sent: number; wrong: string[] };
  totals: Map<string, number>;
  before: number;
  peak: number;
  restarts: number;
}

function judge(workers: number, { server, health, good, totals, before, peak, restarts }: Outcome): void {
  const after = server.residentMb();
  const count = (test: (status: string) => boolean) =>
    [...totals].reduce((sum, [status, n]) => sum + (test(status) ? n : 0), 0);
  const named = (title: string) => `${workers} workers: ${title}`;
  print(
    `\n| tried | answered | refused | failed | peak MiB | before | after | restarts | worst health |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n| ${count(() => true)} | ${count((status) => status === '200')} | ${count((status) => status.startsWith('4') || status === '504' || status === '503')} | ${count((status) => status === '500' || status === 'lost')} | ${peak.toFixed(0)} | ${before.toFixed(0)} | ${after.toFixed(0)} | ${restarts} | ${health.worstMs.toFixed(0)} ms |`,
  );
  const hold = (title: string, holds: boolean, fault: string) =>
    tally.judge(named(title), holds ? [] : [fault]);
  hold('the process lives', server.isAlive(), 'it ended');
  hold(
    'no request is lost, none is 500',
    count((status) => status === 'lost' || status === '500') === 0,
    describe([...totals.keys()]),
  );
  tally.judge(named(`${good.sent} good requests got the bytes of before`), good.wrong);
  hold('no worker was lost', restarts === 0, `${restarts} were replaced`);
  hold('its memory stays below the limit', peak < memoryMb, `${peak.toFixed(0)} MB`);
  hold(
    `its memory comes back to within ${keptMb} MB`,
    after < before + keptMb,
    `${before.toFixed(0)} to ${after.toFixed(0)} MB`,
  );
  hold(
    'health checks are answered in time',
    health.failed === 0 && health.worstMs < slowestHealthMs,
    `${health.worstMs.toFixed(0)} ms, ${health.failed} failed`,
  );
}

/** As in `413 x 3, 200`. */
function describe(statuses: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, n]) => (n === 1 ? status : `${status} x ${n}`)).join(', ');
}
