// The machine and the control group of the process → the number of processors that it may use.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

/**
 * Returns the processors that the scheduler offers, limited by the control group's quota, rounded up. A container with a quota of half
 * a processor gets one worker on any machine. libuv reads the quota only since 1.49, which Node 20 does not have.
 * @param root the folder of /sys and /proc.
 */
export function countCpus(root = '/', processors = availableParallelism()): number {
  const quotas = groupFolders(root).map(readQuota);
  return Math.max(1, Math.min(processors, ...quotas.map(Math.ceil)));
}

/** The process's control group and its parents, for both versions of cgroups. In a container, its own group is the root of the tree. */
function groupFolders(root: string): string[] {
  const lines = readText(join(root, 'proc/self/cgroup')).split('\n');
  return lines.flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) return [];
    if (controllers !== '' && !controllers.split(',').includes('cpu')) return [];
    const mount = join(root, 'sys/fs/cgroup', controllers === '' ? '' : 'cpu');
    const names = path.split('/').filter(Boolean);
    return [...names.map((_, i) => join(mount, ...names.slice(0, i + 1))), mount];
  });
}

/** The quota in processors. */
function readQuota(folder: string): number {
  const [quota = '', period = ''] = readText(join(folder, 'cpu.max')).split(/\s+/);
  const [oldQuota, oldPeriod] = ['quota', 'period'].map((part) =>
    readText(join(folder, `cpu.cfs_${part}_us`)),
  );
  const share = Number(quota || oldQuota) / Number(period || oldPeriod);
  return share > 0 ? share : Number.POSITIVE_INFINITY;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}
