// A unit of the machine, by name → its state in systemd, its log, and its responses.
import { fileURLToPath } from 'node:url';
import type { Machine } from './machine.js';

export interface Service {
  systemctl(...command: string[]): Promise<string>;
  /** The properties of the unit, by their names in systemctl-show(1). */
  properties(...names: string[]): Promise<Record<string, string>>;
  /** The log of the unit and of systemd since the machine started. */
  journal(): Promise<string>;
  /** @returns the milliseconds until /health/ready responds with 200. @throws Error with the journal if the service stops before. */
  untilReady(): Promise<number>;
  /** Uploads the file. @returns the response. */
  predict(file: string): Promise<string>;
  /** Does the same with other open connections. */
  predictInCrowd(file: string, connections: number): Promise<string>;
}

const url = 'http://127.0.0.1:8000';
const startTimeoutMs = 120_000;
const probe = ['--import', 'tsx', fileURLToPath(new URL('./probe.ts', import.meta.url))];

export function createService(machine: Machine, name: string): Service {
  const unit = `${name}.service`;
  const reach = (...args: string[]) => machine.reach(process.execPath, ...probe, ...args);

  async function properties(...names: string[]): Promise<Record<string, string>> {
    const text = await machine.run('systemctl', 'show', `--property=${names.join()}`, unit);
    const pairs = text.trim().split('\n');
    return Object.fromEntries(pairs.map((pair) => /^([^=]*)=(.*)$/.exec(pair)?.slice(1) ?? [pair, '']));
  }

  async function journal(): Promise<string> {
    return await machine.run('journalctl', '--unit', unit, '--no-pager', '--output', 'cat');
  }

  async function untilReady(): Promise<number> {
    const start = performance.now();
    const { NRestarts: before } = await properties('NRestarts');
    while (performance.now() - start < startTimeoutMs) {
      const isReady = await reach('ready', `${url}/health/ready`, '1000').then(
        () => true,
        () => false,
      );
      if (isReady) return performance.now() - start;
      const { NRestarts, ActiveState } = await properties('NRestarts', 'ActiveState');
      if (NRestarts !== before || ActiveState === 'failed') break;
    }
    throw new Error(`${unit} does not become ready:\n${(await journal()).slice(-3000)}`);
  }

  return {
    systemctl: (...command) => machine.run('systemctl', ...command, unit),
    properties,
    journal,
    untilReady,
    predict: (file) => reach('post', `${url}/predict`, file),
    predictInCrowd: (file, connections) => reach('crowd', `${url}/predict`, file, String(connections)),
  };
}
