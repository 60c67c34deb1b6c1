// a model → the servers that are compared on it: how each is started and asked.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';

const pythons = (process.env.QUATI_PYTHON ?? 'python3').split(',');
const peersFolder = path.resolve('bench/peers');
/** What was converted for LiteRT, by model and version. */
const converted = path.resolve('runs/bench-serve');

export const quati = {
  name: 'Quati',
  kinds: ['raw', 'multipart'],
  start: ({ modelsFolder, variant, port }) => ({
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
  url: ({ port, model }) => `http://127.0.0.1:${port}/models/${model}/predict`,
  /** Milliseconds that the HTTP thread's event loop was late, 99 of 100 times, since the last time that this was asked. */
  async loopDelay({ port }) {
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const [, seconds] = /^quati_event_loop_delay_seconds\{quantile="0.99"\} (\S+)$/m.exec(metrics);
    return Number(seconds) * 1000;
  },
};

/** Processes, as many as processors: one more each was slower, one less left a processor idle. */
function uvicorn(app, { port, processors }) {
  return [
    ...['-m', 'uvicorn', `${app}:app`, '--loop', 'uvloop', '--http', 'httptools', '--no-access-log'],
    ...['--log-level', 'warning', '--workers', String(processors), '--port', String(port)],
  ];
}

function fastapi(target, args, env) {
  return { args, env: { ...env, MODEL: modelOf(target) }, ready: `http://127.0.0.1:${target.port}/health` };
}

const fastapiUrl = ({ port, kind }) => `http://127.0.0.1:${port}/predict${kind === 'raw' ? '/raw' : ''}`;

const peers = [
  {
    name: 'FastAPI + onnxruntime',
    needs: 'fastapi, uvicorn, uvloop, httptools, onnxruntime, PIL, multipart',
    kinds: ['raw', 'multipart'],
    start: (target) =>
      fastapi(target, uvicorn('fastapi_onnxruntime.app', target), { VARIANT: target.variant }),
    url: fastapiUrl,
  },
  {
    name: 'FastAPI + LiteRT',
    needs: 'fastapi, uvicorn, uvloop, httptools, ai_edge_litert, PIL, multipart, tensorflow, onnx',
    kinds: ['raw', 'multipart'],
    start: (target, python) =>
      fastapi(target, uvicorn('fastapi_litert.app', target), { TFLITE: convert(target, python) }),
    url: fastapiUrl,
  },
  {
    name: 'LitServe + onnxruntime',
    needs: 'litserve, onnxruntime, PIL',
    kinds: ['multipart'],
    start: (target) => ({
      args: ['-m', 'litserve_onnxruntime.app'],
      env: {
        MODEL: modelOf(target),
        VARIANT: target.variant,
        WORKERS: String(target.processors),
        PORT: String(target.port),
      },
      ready: `http://127.0.0.1:${target.port}/health`,
    }),
    url: ({ port }) => `http://127.0.0.1:${port}/predict`,
  },
  {
    name: 'BentoML + onnxruntime',
    needs: 'bentoml, onnxruntime, PIL',
    kinds: ['multipart'],
    start: (target) => ({
      args: [
        ...['-m', 'bentoml', 'serve', 'bentoml_onnxruntime.app:Classifier'],
        ...['--host', '127.0.0.1', '--port', String(target.port)],
      ],
      env: {
        MODEL: modelOf(target),
        VARIANT: target.variant,
        WORKERS: String(target.processors),
        BENTOML_DO_NOT_TRACK: 'true',
      },
      ready: `http://127.0.0.1:${target.port}/readyz`,
    }),
    url: ({ port }) => `http://127.0.0.1:${port}/predict`,
  },
];

/** Those peers whose packages one of the Pythons of QUATI_PYTHON has; the others are named. */
export function findPeers() {
  return peers.flatMap((peer) => {
    const python = pythons.find(
      (candidate) => spawnSync(candidate, ['-c', `import ${peer.needs}`], { stdio: 'ignore' }).status === 0,
    );
    if (python === undefined) process.stderr.write(`${peer.name}: not installed for ${pythons}, left out\n`);
    const start = (target) => ({ command: python, cwd: peersFolder, ...peer.start(target, python) });
    return python === undefined ? [] : [{ ...peer, start }];
  });
}

function modelOf({ modelsFolder, model, version }) {
  return path.resolve(modelsFolder, model, String(version));
}

function convert(target, python) {
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
  if (status !== 0) throw new Error(`${target.model} can't be converted for LiteRT: ${stderr.slice(-1000)}`);
  return file;
}
