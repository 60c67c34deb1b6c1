// npm run bench:pods: what one processor serves, over HTTP, of each model → docs/results/bench-pods.md, which docs/kubernetes.md plans by.
//
//   --models mnist,cats-vs-dogs   default: all of models/
//   --seconds 10                  of each load
//   --out <file>                  writes the report
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { startServer } from './serve/processes.mjs';

const { values: flags } = parseArgs({
  options: {
    models: { type: 'string', default: readdirSync('models').sort().join(',') },
    seconds: { type: 'string', default: '10' },
    out: { type: 'string' },
  },
});
const port = 9390;
const connections = 16;
/** Of what a closed loop reaches: where a pod is busy, and answers still come at once. */
const share = 0.7;

const rows = [];
for (const model of flags.models.split(',')) rows.push(await measure(model));
const report = describe(rows);
process.stdout.write(report);
if (flags.out) writeFileSync(flags.out, report);

/** The server has the first processor to itself, the load generator the second. */
async function measure(model) {
  const server = await startServer({
    command: 'taskset',
    args: ['--cpu-list', '0', process.execPath, 'dist/cli/main.js', 'serve'],
    env: {
      QUATI_MODELS: path.join('models', model),
      QUATI_WORKERS: '1',
      QUATI_HOST: '127.0.0.1',
      QUATI_PORT: String(port),
      QUATI_LOG_LEVEL: 'silent',
      NODE_ENV: 'production',
    },
    ready: `http://127.0.0.1:${port}/health/ready`,
  });
  try {
    const most = load(model, ['--connections', String(connections)]);
    const rate = Math.max(1, Math.round(most.answersPerSecond * share));
    const usual = load(model, ['--connections', '256', '--rate', String(rate)]);
    return { model, variant: servedVariant(model), most, rate, usual, rss: server.usage().rss };
  } finally {
    await server.stop();
  }
}

function load(model, args) {
  const command = [
    'dist/cli/main.js',
    'bench',
    `http://127.0.0.1:${port}`,
    '--images',
    path.join('imgs', model),
    '--json',
  ];
  const given = [...command, '--model', model, '--duration', flags.seconds, '--warm-up', '3', ...args];
  const { status, stdout, stderr } = spawnSync('taskset', ['--cpu-list', '1', process.execPath, ...given], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`quati bench ${args.join(' ')}: ${stderr}`);
  const report = JSON.parse(stdout);
  if (report.failed > 0) throw new Error(`${model}: ${JSON.stringify(report.errors)}`);
  return report;
}

function servedVariant(model) {
  const folder = path.join('models', model);
  const version = Math.max(...readdirSync(folder).map(Number).filter(Number.isInteger));
  return JSON.parse(readFileSync(path.join(folder, String(version), 'card.json'), 'utf8')).defaultVariant;
}

function describe(rows) {
  return `# What one processor serves

${cpus()[0]?.model ?? ''}, one of its processors for the server with one worker, another for the load: the samples of the model in turns, as raw
bodies. The most is a closed loop over ${connections} connections, the latencies are those of an open loop at ${share * 100} % of that, counted from when each
request was due. Made by \`npm run bench:pods\`.

| model | variant | images/s at most | at images/s | p50 ms | p99 ms | RSS MB |
| --- | --- | ---: | ---: | ---: | ---: | ---: |
${rows.map(row).join('\n')}
`;
}

function row({ model, variant, most, rate, usual, rss }) {
  const { p50, p99 } = usual.latencyMs;
  const numbers = [
    most.answersPerSecond.toFixed(0),
    rate,
    p50.toFixed(1),
    p99.toFixed(1),
    (rss / 1e6).toFixed(0),
  ];
  return `| ${model} | ${variant} | ${numbers.join(' | ')} |`;
}
