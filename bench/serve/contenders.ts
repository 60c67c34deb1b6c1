// A model → the servers to compare: how to start each one, and its URLs.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { ServerCommand } from './processes.js';

/** The form of an upload. */
export const uploads = ['raw', 'multipart'] as const;
export type Upload = (typeof uploads)[number];

/** The model and image that all contenders serve in turn. */
export interface Target {
  modelsFolder: string;
  model: string;
  version: number;
  variant: string;
  /** The image that is posted. */
  image: string;
  processors: number;
}

export interface Contender {
  name: string;
  /** The uploads that it accepts. */
  uploads: readonly Upload[];
  start(target: Target, port: number): ServerCommand;
  url(target: Target, port: number, upload: Upload): string;
  /** The 99th percentile of the event loop's delay in the HTTP thread, in ms, since the last call. */
  loopDelay?: (port: number) => Promise<number>;
}

/** A peer's command, without the Python program. */
interface PeerCommand {
  args: string[];
  env: Record<string, string>;
  /** The path that responds once the server is ready. */
  ready: string;
}

interface Peer {
  name: string;
  /** The Python modules that it needs. */
  needs: string;
  uploads: readonly Upload[];
  start(target: Target, port: number, python: string): PeerCommand;
  path(upload: Upload): string;
}

const pythons = (process.env.QUATI_PYTHON ?? 'python3').split(',');
const peersFolder = path.resolve('bench/peers');
/** The models converted for LiteRT, by model and version. */
const converted = path.resolve('runs/bench-serve');

export const quati: Contender = {
  name: 'Quati',
  uploads,
  start: ({ modelsFolder, variant }, port) => ({
    command: process.execPath,
    args: ['dist/cli/main.js', 'serve'],
    env: {
      QUATI_MODELS: modelsFolder,
      QUATI_VARIANT: variant,
      QUATI_HOST: '127.0.0.1',
      QUATI_PORT: String(port),
      QUATI_LOG_REQUESTS: 'never',
      NODE_ENV: 'production',
    },
    ready: `http://127.0.0.1:${port}/health/ready`,
  }),
  url: ({ model }, port) => `http://127.0.0.1:${port}/models/${model}/predict`,
  async loopDelay(port) {
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const [, seconds] = /^quati_event_loop_delay_seconds\{quantile="0.99"\} (\S+)$/m.exec(metrics) ?? [];
    if (seconds === undefined)
      throw new Error('/metrics has no quati_event_loop_delay_seconds of quantile 0.99');
    return Number(seconds) * 1000;
  },
};

/** One process per processor: one more was slower, one fewer left a processor idle. */
function uvicorn(app: string, { processors }: Target, port: number): string[] {
  return [
    ...['-m', 'uvicorn', `${app}:app`, '--loop', 'uvloop', '--http', 'httptools', '--no-access-log'],
    ...['--log-level', 'warning', '--workers', String(processors), '--port', String(port)],
  ];
}

const fastapiPath = (upload: Upload) => (upload === 'raw' ? '/predict/raw' : '/predict');

const peers: Peer[] = [
  {
    name: 'FastAPI + onnxruntime',
    needs: 'fastapi, uvicorn, uvloop, httptools, onnxruntime, PIL, multipart',
    uploads,
    start: (target, port) => ({
      args: uvicorn('fastapi_onnxruntime.app', target, port),
      env: { MODEL: modelOf(target), VARIANT: target.variant },
      ready: '/health',
    }),
    path: fastapiPath,
  },
  {
    name: 'FastAPI + LiteRT',
    needs: 'fastapi, uvicorn, uvloop, httptools, ai_edge_litert, PIL, multipart, tensorflow, onnx',
    uploads,
    start: (target, port, python) => ({
      args: uvicorn('fastapi_litert.app', target, port),
      env: { MODEL: modelOf(target), TFLITE: convert(target, python) },
      ready: '/health',
    }),
    path: fastapiPath,
  },
  {
    name: 'LitServe + onnxruntime',
    needs: 'litserve, onnxruntime, PIL',
    uploads: ['multipart'],
    start: (target, port) => ({
      args: ['-m', 'litserve_onnxruntime.app'],
      env: { ...workersOf(target), PORT: String(port) },
      ready: '/health',
    }),
    path: () => '/predict',
  },
  {
    name: 'BentoML + onnxruntime',
    needs: 'bentoml, onnxruntime, PIL',
    uploads: ['multipart'],
    start: (target, port) => ({
      args: [
        ...['-m', 'bentoml', 'serve', 'bentoml_onnxruntime.app:Classifier'],
        ...['--host', '127.0.0.1', '--port', String(port)],
      ],
      env: { ...workersOf(target), BENTOML_DO_NOT_TRACK: 'true' },
      ready: '/readyz',
    }),
    path: () => '/predict',
  },
];

/** Returns the peers with installed packages in a Python of QUATI_PYTHON. Names the others on standard error. */
export function findPeers(): Contender[] {
  return peers.flatMap((peer) => {
    const python = pythons.find(
      (candidate) => spawnSync(candidate, ['-c', `import ${peer.needs}`], { stdio: 'ignore' }).status === 0,
    );
    if (python !== undefined) return [toContender(peer, python)];
    process.stderr.write(`${peer.name}: not installed for ${pythons}, skipped\n`);
    return [];
  });
}

function toContender(peer: Peer, python: string): Contender {
  return {
    name: peer.name,
    uploads: peer.uploads,
    start(target, port) {
      const { args, env, ready } = peer.start(target, port, python);
      return { command: python, args, env, cwd: peersFolder, ready: `http://127.0.0.1:${port}${ready}` };
    },
    url: (_, port, upload) => `http://127.0.0.1:${port}${peer.path(upload)}`,
  };
}

function workersOf(target: Target): Record<string, string> {
  return { MODEL: modelOf(target), VARIANT: target.variant, WORKERS: String(target.processors) };
}

function modelOf({ modelsFolder, model, version }: Target): string {
  return path.resolve(modelsFolder, model, String(version));
}

function convert(target: Target, python: string): string {
  mkdirSync(converted, { recursive: true });
  const file = path.join(converted, `${target.model}-${target.version}-int8.tflite`);
  if (existsSync(file)) return file;
  const { status, stderr } = spawnSync(
    python,
    ['fastapi_litert/convert.py', file, path.dirname(path.resolve(target.image))],
    {
      cwd: peersFolder,
      env: { ...process.env, PYTHONPATH: peersFolder, MODEL: modelOf(target) },
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error(`${target.model} cannot be converted for LiteRT: ${stderr.slice(-1000)}`);
  return file;
}
