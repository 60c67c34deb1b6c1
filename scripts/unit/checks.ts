// The services of a machine → their checks, one after the other, because all listen on the same port.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Machine } from './machine.js';
import { createService, type Service } from './service.js';

/** Runs one check and prints its outcome. @returns false if it failed. */
export type Check = (title: string, body: () => Promise<string>) => Promise<boolean>;

const sample = 'imgs/cifar10/airplane-1.png';
const expected = '{"category":"airplane"}';
/** The default of QUATI_DRAIN_TIMEOUT_MS, and one less than that of QUATI_MAX_CONNECTIONS. */
const [drainTimeoutMs, crowd] = [20_000, 1023];
/** The highest allowed exposure of `systemd-analyze security`, out of 10; systemd 252 gave 1.3. */
const mostExposure = 1.5;
/** Words in the log of a system that refuses something. In pino's log, level 50 and above is an error. */
const refusal =
  /not permitted|denied|\bE(PERM|ACCES|ROFS)\b|read-only file|SIGSYS|"level":[56]0|status=[1-9]|Failed/i;

/** Checks docker/systemd/quati.service, enabled and started like in docs/raspberry-pi.md. */
export async function checkUnit(machine: Machine, check: Check): Promise<void> {
  const service = createService(machine, 'quati');
  await check('quati.service: systemd-analyze security', async () => await securityOf(machine));
  const isReady = await check('quati.service becomes ready, enabled and started', async () => {
    await service.systemctl('enable', '--now');
    return await readiness(service);
  });
  if (!isReady) return await stopQuietly(service);
  await checkAnswers('quati.service', machine, service, check);
  await check('quati.service is ready again after systemctl restart', async () => {
    const before = await service.properties('MainPID');
    await service.systemctl('restart');
    const ready = await readiness(service);
    const after = await service.properties('MainPID');
    if (after.MainPID === before.MainPID) throw new Error('it is still the same process');
    return ready;
  });
  await check('quati.service restarts when its process is killed', async () => {
    await service.systemctl('kill', '--signal=KILL');
    for (let tries = 0; (await service.properties('NRestarts')).NRestarts !== '1'; tries++) {
      if (tries === 100) throw new Error('systemd does not start it again');
      await sleep(100);
    }
    return await readiness(service);
  });
  await checkStop('quati.service', service, check);
}

/** Checks the image's command under the restrictions of a manifest. */
export async function checkRestricted(machine: Machine, name: string, check: Check): Promise<void> {
  const service = createService(machine, name);
  const isReady = await check(`${name} becomes ready`, async () => {
    await service.systemctl('start');
    return await readiness(service);
  });
  if (!isReady) return await stopQuietly(service);
  await checkAnswers(name, machine, service, check);
  await checkStop(name, service, check);
}

async function readiness(service: Service): Promise<string> {
  return `${Math.round(await service.untilReady())} ms`;
}

async function checkAnswers(name: string, machine: Machine, service: Service, check: Check): Promise<void> {
  await check(`${name}: its processes are confined`, async () => await confinementOf(machine, service));
  await check(`${name}: an upload gets exactly the response ${expected}`, async () => {
    expectAnswer(await service.predict(sample));
    return '';
  });
  await check(`${name}: the same with ${crowd} other connections`, async () => {
    expectAnswer(await service.predictInCrowd(sample, crowd));
    return '';
  });
  await check(`${name}: no call was refused, and no process exited`, async () => {
    const refused = (await service.journal()).split('\n').filter((line) => refusal.test(line));
    const { NRestarts } = await service.properties('NRestarts');
    if (refused.length > 0 || NRestarts !== '0')
      throw new Error(`${NRestarts} restarts\n${refused.join('\n')}`);
    return '';
  });
  if (machine.countsMemory)
    await check(`${name}: its memory is limited`, async () => {
      const { MemoryMax, MemoryCurrent } = await service.properties('MemoryMax', 'MemoryCurrent');
      const [most, now] = [Number(MemoryMax), Number(MemoryCurrent)];
      if (!(now > 0 && now < most)) throw new Error(`MemoryMax=${MemoryMax}, MemoryCurrent=${MemoryCurrent}`);
      return `${megabytes(now)} of ${megabytes(most)} MiB`;
    });
}

function expectAnswer(answer: string): void {
  if (answer !== expected) throw new Error(`the response is ${answer}`);
}

/** Reads the state of the main process from the kernel, so that a missing sandbox fails the check. */
async function confinementOf(machine: Machine, service: Service): Promise<string> {
  const { MainPID } = await service.properties('MainPID');
  const status = await machine.run('cat', `/proc/${MainPID}/status`);
  const field = (name: string) => new RegExp(`^${name}:\\t(\\S+)`, 'm').exec(status)?.[1];
  const wanted = { CapEff: /^0+$/, CapBnd: /^0+$/, NoNewPrivs: /^1$/, Seccomp: /^2$/, Uid: /^[1-9]/ };
  for (const [name, value] of Object.entries(wanted))
    if (!value.test(field(name) ?? '')) throw new Error(`${name} is ${field(name)}`);
  const mounts = await machine.run('cat', `/proc/${MainPID}/mountinfo`);
  if (!/^\d+ \d+ \S+ \S+ \/ ro,/m.test(mounts)) throw new Error(`its root can be written to:\n${mounts}`);
  return `user ${field('Uid')}, no capabilities, calls filtered, root read-only`;
}

async function checkStop(name: string, service: Service, check: Check): Promise<void> {
  await check(`${name}: systemctl stop ends it cleanly, within the drain timeout`, async () => {
    const start = performance.now();
    await service.systemctl('stop');
    const took = performance.now() - start;
    const wanted = {
      ActiveState: 'inactive',
      Result: 'success',
      ExecMainStatus: '0',
      TasksCurrent: '[not set]',
    };
    const got = await service.properties(...Object.keys(wanted));
    for (const [key, value] of Object.entries(wanted))
      if (got[key] !== value) throw new Error(`${key}=${got[key]}, expected ${value}`);
    if (took > drainTimeoutMs) throw new Error(`it took ${Math.round(took)} ms`);
    return `${Math.round(took)} ms`;
  });
}

async function stopQuietly(service: Service): Promise<void> {
  await service.systemctl('stop').catch(() => '');
}

async function securityOf(machine: Machine): Promise<string> {
  const report = await machine.run('systemd-analyze', 'security', '--no-pager', 'quati.service');
  const [, exposure, word] = /exposure level for quati\.service: ([\d.]+) (\w+)/.exec(report) ?? [];
  if (!(Number(exposure) <= mostExposure))
    throw new Error(`exposure ${exposure}, allowed is at most ${mostExposure}`);
  return `exposure ${exposure} of 10, ${word}`;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
