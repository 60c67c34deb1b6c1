// a gate for all threads of the process, which share libvips: the first one that decodes blocks the loaders, the others wait for it.
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

const key = 'quati: the gate of libvips loaders';
const [untouched, shutting, shut] = [0, 1, 2];

/** A thread gets the gate of the thread that started it, so the gate must exist before the thread starts. */
export function shareGate(): Int32Array {
  const shared = getEnvironmentData(key);
  if (shared instanceof Int32Array) return shared;
  const gate = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  setEnvironmentData(key, gate);
  return gate;
}

/** If loaders were blocked again, they would change for a moment while another thread decodes. */
export function shutOnce(shutLoaders: () => void): void {
  const gate = shareGate();
  if (Atomics.compareExchange(gate, 0, untouched, shutting) === untouched) {
    shutLoaders();
    Atomics.store(gate, 0, shut);
    Atomics.notify(gate, 0);
  } else Atomics.wait(gate, 0, shutting);
}
