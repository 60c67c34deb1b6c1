// Measurements → the report: a table per model, medians over the rounds, and Quati's results against its targets.
import { median } from 'simple-statistics';
import type { Target, Upload } from './contenders.js';
import type { Cell, Measure, Server, Soak } from './measure.js';

export interface ModelResult {
  target: Target;
  /** The images/s of decoding and inference without HTTP, per round. */
  limit: readonly number[];
  cells: readonly Cell[];
  /** Quati first. */
  servers: readonly Server[];
  soak?: Soak;
}

export interface Conditions {
  rounds: number;
  seconds: number;
  variant: string;
  processors: number;
  /** The name of the image. */
  processor: string;
}

type Medians = Pick<Measure, 'requestsPerSecond' | 'p50' | 'p99' | 'cpuMs' | 'rss'>;

export function describe(results: readonly ModelResult[], conditions: Conditions): string {
  const { processor, processors, rounds, seconds, variant } = conditions;
  const head = [
    '# Serving under load',
    '',
    `${processor}, ${processors} processors, which the load generator shares. Medians of ${rounds} alternated rounds of`,
    `${seconds} s, ${variant}. CPU is that of all processes of a server, for one request. Made by \`npm run bench:serve\`.`,
    '',
  ];
  return `${[...head, ...results.flatMap(describeModel)].join('\n')}\n`;
}

function describeModel(result: ModelResult): string[] {
  const { target, limit, cells, servers } = result;
  const most = median([...limit]);
  return [
    `## ${target.model} (${target.image})`,
    '',
    `Decoding and inference alone, in batches of 16 on all processors: ${most.toFixed(0)} images/s.`,
    '',
    '| server | upload | connections | requests/s | of the limit | p50 ms | p99 ms | CPU ms | RSS MB |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...cells.flatMap((cell) => servers.flatMap((server) => row(server, cell, most))),
    '',
    '| server | start to ready, s | idle RSS MB |',
    '| --- | ---: | ---: |',
    ...servers.map(
      ({ contender, readyMs, idleRss }) =>
        `| ${contender.name} | ${(readyMs / 1000).toFixed(2)} | ${megabytes(idleRss)} |`,
    ),
    '',
    ...describeBars(result, most),
    '',
  ];
}

/** Returns one row, or none for an upload that the server does not accept. */
function row(server: Server, { upload, connections }: Cell, most: number): string[] {
  const medians = mediansOf(server, upload, connections);
  if (!medians) return [];
  const { requestsPerSecond, p50, p99, cpuMs, rss } = medians;
  const figures = [
    requestsPerSecond.toFixed(0),
    percent(requestsPerSecond / most),
    p50.toFixed(1),
    p99.toFixed(1),
    cpuMs.toFixed(2),
    megabytes(rss),
  ];
  return [`| ${server.contender.name} | ${upload} | ${connections} | ${figures.join(' | ')} |`];
}

/** The median over the rounds; undefined if there was no such load. */
function mediansOf({ measured }: Server, upload: Upload, connections: number): Medians | undefined {
  const rounds = measured.flatMap(({ cell, measure }) =>
    cell.upload === upload && cell.connections === connections ? [measure] : [],
  );
  if (rounds.length === 0) return undefined;
  const over = (key: keyof Medians) => median(rounds.map((round) => round[key]));
  return {
    requestsPerSecond: over('requestsPerSecond'),
    p50: over('p50'),
    p99: over('p99'),
    cpuMs: over('cpuMs'),
    rss: over('rss'),
  };
}

function describeBars({ servers, soak }: ModelResult, most: number): string[] {
  const [quati, ...peers] = servers;
  if (!quati) return [];
  const bars = [
    ...limitBar(quati, 'raw', most, 0.55),
    ...limitBar(quati, 'multipart', most, 0.4),
    ...peers.flatMap((peer) => peerBar(quati, peer, 'raw')),
    ...peers.flatMap((peer) => peerBar(quati, peer, 'multipart')),
  ];
  const busy = mediansOf(quati, 'raw', 128);
  if (busy) bars.push(bar('p99 of p50 at 128 connections', busy.p99 / busy.p50, 3, times, 'most'));
  bars.push(
    bar('event-loop delay p99 at any load, ms', mostLoopDelay(quati), 20, one, 'most'),
    bar('idle RSS with all models of the folder, MB', quati.idleRss / 1e6, 160, whole, 'most'),
    bar('start to ready, s', quati.readyMs / 1000, 1.2, two, 'most'),
  );
  if (soak)
    bars.push(
      bar(`RSS after ${soak.seconds} s, of that after a tenth`, soak.late / soak.early, 1.05, two, 'most'),
    );
  return ['| bar | wanted | measured | |', '| --- | ---: | ---: | --- |', ...bars];
}

function limitBar(quati: Server, upload: Upload, most: number, wanted: number): string[] {
  const ours = mediansOf(quati, upload, 32);
  const name = `${upload} at 32 connections, of the limit`;
  return ours ? [bar(name, ours.requestsPerSecond / most, wanted, percent, 'least')] : [];
}

function peerBar(quati: Server, peer: Server, upload: Upload): string[] {
  const [ours, theirs] = [quati, peer].map((server) => mediansOf(server, upload, 32));
  if (!ours || !theirs) return [];
  const ratio = ours.requestsPerSecond / theirs.requestsPerSecond;
  return [bar(`${upload} at 32, of ${peer.contender.name}`, ratio, 2, times, 'least')];
}

/** The largest median over all loads. */
function mostLoopDelay({ measured }: Server): number {
  const byCell = new Map<Cell, number[]>();
  for (const { cell, measure } of measured)
    byCell.set(cell, [...(byCell.get(cell) ?? []), measure.loopMs ?? Number.NaN]);
  return Math.max(...[...byCell.values()].map((delays) => median(delays)));
}

function bar(
  name: string,
  value: number,
  wanted: number,
  format: (value: number) => string,
  side: 'least' | 'most',
): string {
  const held = side === 'least' ? value >= wanted : value <= wanted;
  return `| ${name} | ${side === 'least' ? '≥' : '≤'} ${format(wanted)} | ${format(value)} | ${held ? 'holds' : 'falls short'} |`;
}

const percent = (value: number) => `${(value * 100).toFixed(0)} %`;
const times = (value: number) => `${value.toFixed(1)} x`;
const whole = (value: number) => value.toFixed(0);
const one = (value: number) => value.toFixed(1);
const two = (value: number) => value.toFixed(2);
const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
