// Files of control groups → the number of processors to use.
import t from 'tap';
import { countCpus } from '../../../src/inference/workers/cpus.js';

t.test('without a control group the number is that of the scheduler', async (t) => {
  t.equal(countCpus(t.testdir({}), 6), 6);
  t.ok(countCpus() >= 1);
});

t.test('a quota of version 2 counts, rounded up, and so does a quota of a parent group', async (t) => {
  const root = (quotas: Record<string, string>) =>
    t.testdir({
      proc: { self: { cgroup: '0::/pod/container\n' } },
      sys: {
        fs: {
          cgroup: {
            'cpu.max': quotas.root ?? 'max 100000\n',
            pod: {
              'cpu.max': quotas.pod ?? 'max 100000\n',
              container: { 'cpu.max': quotas.container ?? 'max 100000\n' },
            },
          },
        },
      },
    });
  t.equal(countCpus(root({}), 8), 8);
  t.equal(countCpus(root({ container: '150000 100000\n' }), 8), 2);
  t.equal(countCpus(root({ container: '20000 100000\n' }), 8), 1);
  t.equal(countCpus(root({ pod: '300000 100000\n', container: '400000 100000\n' }), 8), 3);
  t.equal(countCpus(root({ root: '200000 100000\n' }), 8), 2, 'as seen from inside of a container');
  t.equal(countCpus(root({ container: '900000 100000\n' }), 2), 2);
});

t.test('a quota of version 1 counts; -1 means no quota', async (t) => {
  const root = (quota: string) =>
    t.testdir({
      proc: { self: { cgroup: '5:memory:/a\n4:cpu,cpuacct:/a\n' } },
      sys: { fs: { cgroup: { cpu: { a: { 'cpu.cfs_quota_us': quota, 'cpu.cfs_period_us': '100000\n' } } } } },
    });
  t.equal(countCpus(root('250000\n'), 8), 3);
  t.equal(countCpus(root('-1\n'), 8), 8);
});
