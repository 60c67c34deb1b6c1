// Unit files and an installed package → a systemd that runs them in separate namespaces, and commands inside it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createControlGroups } from '../control-groups.js';
import { run, UnavailableError } from '../run.js';

export interface Machine {
  /** True if it enforces memory limits. */
  countsMemory: boolean;
  /** Runs a command inside. @returns its standard output. @throws Error if it exits with another code than 0. */
  run(...command: string[]): Promise<string>;
  /** Runs a command of this machine in the network of that one. @throws Error if it exits with another code than 0. */
  reach(...command: string[]): Promise<string>;
  /** Stops all processes in it. */
  stop(): Promise<void>;
}

const bootTimeoutMs = 30_000;
const script = fileURLToPath(new URL('./boot.sh', import.meta.url));

/** Debian's units around a service. There are no other units, so that booting changes nothing outside. */
const units = [
  ...['sysinit', 'basic', 'sockets', 'timers', 'paths', 'slices', 'shutdown', 'umount', 'multi-user'],
  ...['network', 'network-online', 'local-fs', 'swap'],
].map((name) => `${name}.target`);
const journal = ['systemd-journald.service', 'systemd-journald.socket', 'systemd-journald-dev-log.socket'];

/**
 * @param opt becomes /opt/quati.
 * @param services unit files by name.
 * @throws UnavailableError if it does not start.
 */
export async function bootMachine(opt: string, services: Readonly<Record<string, string>>): Promise<Machine> {
  const work = await mkdtemp(path.join(tmpdir(), 'quati-unit-'));
  const unitFolder = await mkdtemp(path.join(tmpdir(), 'quati-units-'));
  const groups = createControlGroups();
  const removeAll = async () => {
    for (const folder of [work, unitFolder]) await rm(folder, { recursive: true, force: true });
    await groups.remove();
  };
  try {
    await fillUnits(unitFolder, services);
    // When this process exits, that process exits, too, and stops the machine.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'sh', script], {
      env: {
        PATH: process.env.PATH,
        WORK: work,
        OPT: path.resolve(opt),
        NODE: process.execPath,
        UNITS: unitFolder,
        TASKS: groups.tasks.join(' '),
        GROUPS_AT: groups.mounts
          .map(({ folder, type, options }) => `${folder} ${type} ${options}`)
          .join('\n'),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return { ...(await whenUp(child, removeAll)), countsMemory: groups.countsMemory };
  } catch (error) {
    await removeAll();
    throw error;
  }
}

async function fillUnits(folder: string, services: Readonly<Record<string, string>>): Promise<void> {
  for (const name of [...units, ...journal])
    await copyFile(path.join('/lib/systemd/system', name), path.join(folder, name));
  const wants = path.join(folder, 'sysinit.target.wants');
  await mkdir(wants);
  for (const name of journal) await symlink(`../${name}`, path.join(wants, name));
  for (const [name, text] of Object.entries(services)) await writeFile(path.join(folder, name), text);
}

async function whenUp(
  child: ChildProcess,
  removeAll: () => Promise<void>,
): Promise<Omit<Machine, 'countsMemory'>> {
  let printed = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    printed = (printed + text).slice(-4000);
  });
  const ended = once(child, 'exit');
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
    await removeAll();
  };
  const end = performance.now() + bootTimeoutMs;
  while (performance.now() < end && child.exitCode === null) {
    await sleep(50);
    const pid = await firstChild(child.pid);
    if (pid === undefined) continue;
    const inside = [
      '--target',
      pid,
      '--mount',
      '--uts',
      '--ipc',
      '--net',
      '--pid',
      '--cgroup',
      '--root',
      '--wd',
    ];
    const machine = {
      run: (...command: string[]) => run('nsenter', [...inside, ...command]),
      reach: (...command: string[]) => run('nsenter', ['--target', pid, '--net', ...command]),
      stop,
    };
    const state = await machine
      .run('systemctl', 'show', '--property=ActiveState', 'multi-user.target')
      .catch(() => '');
    if (state.includes('=active')) return machine;
  }
  await stop();
  throw new UnavailableError(`systemd does not come up in namespaces here: ${printed}`);
}

/** unshare's only child is process 1 of the namespaces. */
async function firstChild(pid: number | undefined): Promise<string | undefined> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return /^\d+/.exec(children)?.[0];
}
