// npm run bench:pods: each model → its throughput over HTTP on one processor, in docs/results/bench-pods.md for docs/kubernetes.md.
//
//   --models mnist,cats-vs-dogs   default: all models in models/
//   --seconds 10                  the time of each load
//   --out <file>                  writes the report
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { BenchReport } from '#dist/cli/bench-report.js';
import type { Card } from '#dist/inference/models/card.js';
import { latestVersion } from './latest-version.js';
import { startServer } from './serve/processes.js';

const { values: flags } = parseArgs({
  options: {
    models: { type: 'string', default: readdirSync('models').sort().join(',') },
    seconds: { type: 'string', default: '10' },
    out: { type: 'string' },
  },
});

interface Measured {
  model: string;
  variant: string;
  /** The requests/s of a closed loop. */
  most: BenchReport;
  /** Requests/s of the open loop. */
  rate: number;
  usual: BenchReport;
  /** The resident bytes after both loads. */
  rss: number;
}

const port = 9390;
const connections = 16;
/** The fraction of the closed loop's rate at which a pod is busy but still responds at once. */
const share = 0.7;

const rows: Measured[] = [];
for (const model of flags.models.split(',')) rows.push(await measure(model));
const report = describe(rows);
process.stdout.write(report);
if (flags.out) writeFileSync(flags.out, report);

/** The server runs alone on the first processor, the load generator on the second. */
async function measure(model: string): Promise<Measured> {
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

/** @throws Error when a request failed. */
function load(model: string, args: readonly string[]): BenchReport {
  const asked = [`http://127.0.0.1:${port}`, '--images', path.join('imgs', model), '--model', model];
  const timing = ['--duration', flags.seconds, '--warm-up', '3', '--json'];
  const command = [process.execPath, 'dist/cli/main.js', 'bench', ...asked, ...timing, ...args];
  const { status, stdout, stderr } = spawnSync('taskset', ['--cpu-list', '1', ...command], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`quati bench ${args.join(' ')}: ${stderr}`);
  const report = JSON.parse(stdout) as BenchReport;
  if (report.failed > 0) throw new Error(`${model}: ${JSON.stringify(report.errors)}`);
  return report;
}

function servedVariant(model: string): string {
  const folder = path.join('models', model);
  const file = path.join(folder, String(latestVersion(folder)), 'card.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as Card).defaultVariant;
}

function describe(rows: readonly Measured[]): string {
  return `# What one processor serves

${cpus()[0]?.model ?? ''}. One of its processors runs the server with one worker, another runs the load, which posts the model's samples
in turns as raw bodies. "At most" is a closed loop over ${connections} connections. The latencies are those of an open loop at ${share * 100} % of that rate,
counted from when each request was due. Made by \`npm run bench:pods\`.

| model | variant | images/s at most | at images/s | p50 ms | p99 ms | RSS MB |
| --- | --- | ---: | ---: | ---: | ---: | ---: |
${rows.map(row).join('\n')}
`;
}

function row({ model, variant, most, rate, usual, rss }: Measured): string {
  if (!usual.latencyMs) throw new Error(`${model}: no request was answered at ${rate} images/s`);
  const { p50, p99 } = usual.latencyMs;
  const figures = [
    most.answersPerSecond.toFixed(0),
    rate,
    p50.toFixed(1),
    p99.toFixed(1),
    (rss / 1e6).toFixed(0),
  ];
  return `| ${model} | ${variant} | ${figures.join(' | ')} |`;
}
