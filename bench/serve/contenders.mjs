// a model → the servers that are compared on it: how each is started and asked.
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const python = process.env.QUATI_PYTHON ?? 'python3';

export const quati = {
  name: 'Quati',
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
};

/** Two processes on two processors: one more each was slower, one less left a processor idle. */
const fastapiOnnxruntime = {
  name: 'FastAPI + onnxruntime',
  needs: 'import fastapi, uvicorn, uvloop, httptools, onnxruntime, PIL, multipart',
  start: ({ modelsFolder, model, version, variant, port, processors }) => ({
    command: python,
    args: [
      ...['-m', 'uvicorn', 'app:app', '--app-dir', 'bench/peers/fastapi_onnxruntime'],
      ...['--loop', 'uvloop', '--http', 'httptools', '--no-access-log', '--log-level', 'warning'],
      ...['--workers', String(processors), '--port', String(port)],
    ],
    env: { MODEL: path.resolve(modelsFolder, model, String(version)), VARIANT: variant },
    ready: `http://127.0.0.1:${port}/health`,
  }),
  url: ({ port, kind }) => `http://127.0.0.1:${port}/predict${kind === 'raw' ? '/raw' : ''}`,
};

/** Those peers whose packages are installed; the others are named. */
export function findPeers() {
  return [fastapiOnnxruntime].filter((peer) => {
    const found = spawnSync(python, ['-c', peer.needs], { stdio: 'ignore' }).status === 0;
    if (!found) process.stderr.write(`${peer.name}: not installed for ${python}, left out\n`);
    return found;
  });
}
