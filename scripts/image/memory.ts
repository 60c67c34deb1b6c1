// A limit in bytes → a control group with this limit, in either version of cgroups.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface MemoryGroup {
  /** The file that takes the ids of its processes. */
  tasks: string;
  /** The peak memory in bytes; undefined if the kernel does not count it. */
  peak(): number | undefined;
  remove(): void;
}

const versions = [
  {
    mount: '/sys/fs/cgroup/memory',
    limit: 'memory.limit_in_bytes',
    swap: 'memory.memsw.limit_in_bytes',
    peak: 'memory.max_usage_in_bytes',
  },
  { mount: '/sys/fs/cgroup', limit: 'memory.max', swap: 'memory.swap.max', peak: 'memory.peak' },
];

/** Returns undefined if this machine cannot make a group. */
export function createMemoryGroup(bytes: number): MemoryGroup | undefined {
  for (const { mount, limit, swap, peak } of versions) {
    const folder = path.join(mount, `quati-verify-${process.pid}`);
    try {
      mkdirSync(folder);
    } catch {
      continue;
    }
    const remove = () => rmdirSync(folder);
    if (!existsSync(path.join(folder, limit))) {
      remove();
      continue;
    }
    writeFileSync(path.join(folder, limit), String(bytes));
    // If the kernel counts swap, none may be used. Version 1 counts it together with memory.
    if (existsSync(path.join(folder, swap)))
      writeFileSync(path.join(folder, swap), limit === 'memory.max' ? '0' : String(bytes));
    const peakFile = path.join(folder, peak);
    return {
      tasks: path.join(folder, 'cgroup.procs'),
      peak: () => (existsSync(peakFile) ? Number(readFileSync(peakFile, 'utf8')) : undefined),
      remove,
    };
  }
  return undefined;
}
