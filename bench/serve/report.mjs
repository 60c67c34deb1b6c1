// what was measured → the report: one table a model, medians over the rounds, and how Quati stands to its bars.
import { median } from 'simple-statistics';

export function describe(results, { flags, processors, processor }) {
  const head = [
    '# Serving under load',
    '',
    `${processor}, ${processors} processors, which the load generator shares. Medians of ${flags.rounds} alternated rounds of`,
    `${flags.seconds} s, ${flags.variant}. CPU is that of all processes of a server, for one request. Made by \`npm run bench:serve\`.`,
    '',
  ];
  return `${[...head, ...results.flatMap(describeModel)].join('\n')}\n`;
}

function describeModel({ model, image, limit, cells, servers, soak }) {
  const most = median(limit);
  return [
    `## ${model} (${image})`,
    '',
    `Decoding and inference alone, in batches of 16 on all processors: ${most.toFixed(0)} images/s.`,
    '',
    '| server | upload | connections | requests/s | of the limit | p50 ms | p99 ms | CPU ms | RSS MB |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...cells.flatMap((cell) =>
      servers.filter(({ kinds }) => kinds.includes(cell.kind)).map((server) => row(server, cell, most)),
    ),
    '',
    '| server | start to ready, s | idle RSS MB |',
    '| --- | ---: | ---: |',
    ...servers.map(
      ({ name, readyMs, idleRss }) => `| ${name} | ${(readyMs / 1000).toFixed(2)} | ${megabytes(idleRss)} |`,
    ),
    '',
    ...describeBars({ most, servers, soak }),
    '',
  ];
}

function row(server, { kind, connections }, most) {
  const { requestsPerSecond, p50, p99, cpuMs, rss } = mediansOf(server, kind, connections);
  const numbers = [
    requestsPerSecond.toFixed(0),
    percent(requestsPerSecond / most),
    p50.toFixed(1),
    p99.toFixed(1),
    cpuMs.toFixed(2),
    megabytes(rss),
  ];
  return `| ${server.name} | ${kind} | ${connections} | ${numbers.join(' | ')} |`;
}

function mediansOf({ measured }, kind, connections) {
  const rounds = measured.get(`${kind} ${connections}`);
  if (!rounds) return undefined;
  const keys = ['requestsPerSecond', 'p50', 'p99', 'cpuMs', 'rss'];
  return Object.fromEntries(keys.map((key) => [key, median(rounds.map((round) => round[key]))]));
}

function describeBars({ most, servers: [quati, ...peers], soak }) {
  const [raw, multipart, busy] = [
    mediansOf(quati, 'raw', 32),
    mediansOf(quati, 'multipart', 32),
    mediansOf(quati, 'raw', 128),
  ];
  const bars = [];
  if (raw) bars.push(bar('raw at 32 connections, of the limit', raw.requestsPerSecond / most, 0.55, percent));
  if (multipart)
    bars.push(
      bar('multipart at 32 connections, of the limit', multipart.requestsPerSecond / most, 0.4, percent),
    );
  for (const [kind, ours] of Object.entries({ raw, multipart }))
    for (const peer of peers) {
      const theirs = mediansOf(peer, kind, 32);
      if (ours && theirs)
        bars.push(
          bar(`${kind} at 32, of ${peer.name}`, ours.requestsPerSecond / theirs.requestsPerSecond, 2, times),
        );
    }
  if (busy) bars.push(bar('p99 of p50 at 128 connections', busy.p99 / busy.p50, 3, times, 'most'));
  const delays = [...quati.measured.values()].map((rounds) => median(rounds.map(({ loopMs }) => loopMs)));
  bars.push(bar('event-loop delay p99 at any load, ms', Math.max(...delays), 20, one, 'most'));
  bars.push(bar('idle RSS with all models of the folder, MB', quati.idleRss / 1e6, 160, whole, 'most'));
  bars.push(bar('start to ready, s', quati.readyMs / 1000, 1.2, two, 'most'));
  if (soak)
    bars.push(
      bar(`RSS after ${soak.seconds} s, of that after a tenth`, soak.late / soak.early, 1.05, two, 'most'),
    );
  return ['| bar | wanted | measured | |', '| --- | ---: | ---: | --- |', ...bars];
}

function bar(name, value, wanted, format, side = 'least') {
  const held = side === 'least' ? value >= wanted : value <= wanted;
  return `| ${name} | ${side === 'least' ? '≥' : '≤'} ${format(wanted)} | ${format(value)} | ${held ? 'holds' : 'falls short'} |`;
}

const percent = (value) => `${(value * 100).toFixed(0)} %`;
const times = (value) => `${value.toFixed(1)} x`;
const whole = (value) => value.toFixed(0);
const one = (value) => value.toFixed(1);
const two = (value) => value.toFixed(2);
const megabytes = (bytes) => (bytes / 1e6).toFixed(0);
