// The control groups of this process → a group for the machine below each, in either version of cgroups.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UnavailableError } from './run.js';

export interface ControlGroups {
  /** The files for the id of a process. */
  tasks: string[];
  /** The mounts of the machine in its /sys/fs/cgroup, `.` for the folder itself. */
  mounts: { folder: string; type: 'cgroup' | 'cgroup2'; options: string }[];
  /** True if systemd can count and limit memory in them. */
  countsMemory: boolean;
  /** Removes the groups. The processes in them must have exited. */
  remove(): Promise<void>;
}

interface Hierarchy {
  type: string;
  /** The mount point. */
  folder: string;
  /** The group of the hierarchy at the mount point. */
  root: string;
  options: string[];
}

/** A current systemd uses version 2. Version 1 is used if it holds the controller of memory. */
export function createControlGroups(name = `quati-unit-${process.pid}`): ControlGroups {
  const hierarchies = readMounts();
  const made: string[] = [];
  const make = (folder: string): string => {
    const group = path.join(folder, name);
    mkdirSync(group);
    made.push(group);
    return group;
  };
  const newer = folders(hierarchies, '').find((folder) => existsSync(folder));
  const unified = folders(hierarchies, '').find(handsMemoryDown) ?? newer;
  if (unified !== undefined) make(unified);
  const older = unified !== undefined && handsMemoryDown(unified) ? [] : makeOlder();

  function makeOlder(): string[] {
    return ['name=systemd', 'memory', 'pids'].filter((controller) => {
      const [folder] = folders(hierarchies, controller);
      return folder !== undefined && make(folder);
    });
  }

  const isOld = older.includes('name=systemd');
  if (unified === undefined && !isOld)
    throw new UnavailableError('no control groups are mounted that systemd could use');
  return {
    tasks: made.map((group) => path.join(group, 'cgroup.procs')),
    mounts: isOld ? older.map(mountOfOlder) : [{ folder: '.', type: 'cgroup2', options: 'rw' }],
    countsMemory: isOld ? older.includes('memory') : older.length === 0,
    remove: async () => {
      for (const group of made) await removeGroup(group);
    },
  };
}

function mountOfOlder(controller: string): ControlGroups['mounts'][number] {
  const named = controller.startsWith('name=');
  return {
    folder: named ? 'systemd' : controller,
    type: 'cgroup',
    options: named ? `none,${controller}` : controller,
  };
}

/** The folder of this process's group in a controller's hierarchy ('' for version 2), then the topmost folder. */
function folders(hierarchies: readonly Hierarchy[], controller: string): string[] {
  const found = hierarchies.find(({ type, options }) =>
    controller === '' ? type === 'cgroup2' : type === 'cgroup' && options.includes(controller),
  );
  const own = readFileSync('/proc/self/cgroup', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([, controllers]) => controllers?.split(',').includes(controller));
  if (!found || !own) return [];
  return [path.join(found.folder, path.relative(found.root, own.slice(2).join(':'))), found.folder];
}

/** True if groups below it get the controller of memory. */
function handsMemoryDown(folder: string): boolean {
  const file = path.join(folder, 'cgroup.subtree_control');
  return existsSync(file) && readFileSync(file, 'utf8').split(/\s+/).includes('memory');
}

/** Reads mountinfo, see proc(5). */
function readMounts(): Hierarchy[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [before = '', after = ''] = line.split(' - ');
      const [, , , root, folder] = before.split(' ');
      const [type, , options] = after.split(' ');
      if (!type?.startsWith('cgroup') || root === undefined || folder === undefined) return [];
      return [{ type, folder, root, options: options?.split(',') ?? [] }];
    });
}

/** Removes the inner groups first. A killed process stays in its group for a moment. */
async function removeGroup(group: string): Promise<void> {
  if (!existsSync(group)) return;
  for (const entry of readdirSync(group, { withFileTypes: true }))
    if (entry.isDirectory()) await removeGroup(path.join(group, entry.name));
  for (let tries = 50; ; tries--) {
    try {
      rmdirSync(group);
      return;
    } catch (error) {
      if (tries === 0) throw error;
      await sleep(100);
    }
  }
}
