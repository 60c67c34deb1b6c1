// libvips is one for the process → the first thread that decodes shuts its loaders, and all others wait for that.
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

const key = 'quati: the gate of libvips loaders';
const [untouched, shutting, shut] = [0, 1, 2];

/** Threads share the gate of the one that started them: it has to be there before they are. */
export function shareGate(): Int32Array {
  const shared = getEnvironmentData(key);
  if (shared instanceof Int32Array) return shared;
  const gate = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  setEnvironmentData(key, gate);
  return gate;
}

/** Shutting them once more would open or close them for a moment under a thread that decodes. */
export function shutOnce(shutLoaders: () => void): void {
  const gate = shareGate();
  if (Atomics.compareExchange(gate, 0, untouched, shutting) === untouched) {
    shutLoaders();
    Atomics.store(gate, 0, shut);
    Atomics.notify(gate, 0);
  } else Atomics.wait(gate, 0, shutting);
}
