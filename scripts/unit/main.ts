// npm run verify:unit: docker/systemd/quati.service as shipped, and the image's command under the restrictions of docker/compose.yaml and
// docker/kubernetes/quati.yaml → each started by a real systemd in namespaces. Checks that it becomes ready, responds, restarts and stops.
// Changes nothing outside.
//
// Exit code 2: this machine cannot run the check.
import { readFile } from 'node:fs/promises';
import { UnavailableError } from '../run.js';
import { createTally } from '../tally.js';
import { checkRestricted, checkUnit } from './checks.js';
import { readImageStart } from './image.js';
import { install } from './install.js';
import { bootMachine } from './machine.js';
import { composeRestrictions, kubernetesRestrictions, restrictedUnit } from './restrictions.js';
import { whatIsMissing } from './tools.js';

const opt = 'build/unit';
const tally = createTally();
const missing = whatIsMissing();
if (missing !== undefined) giveUp(missing);
try {
  await verify();
} catch (error) {
  if (error instanceof UnavailableError) giveUp(error.message);
  tally.judge('the machine can be made', [messageOf(error)]);
}
process.exitCode = tally.finish();

function giveUp(reason: string): never {
  process.stderr.write(`verify:unit: ${reason}\n`);
  process.exit(2);
}

async function verify(): Promise<void> {
  await install(opt);
  const image = readImageStart(await read('docker/Dockerfile'));
  const compose = composeRestrictions(await read('docker/compose.yaml'));
  const kubernetes = kubernetesRestrictions(await read('docker/kubernetes/quati.yaml'));
  const machine = await bootMachine(opt, {
    'quati.service': await read(`${opt}/node_modules/quati/docker/systemd/quati.service`),
    'compose.service': restrictedUnit(image, compose),
    'kubernetes.service': restrictedUnit(image, kubernetes),
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void machine.stop().finally(() => process.exit(1)));
  try {
    // These folders come from an image and a volume.
    for (const { folder } of [...compose.writable, ...kubernetes.writable])
      await machine.run('mkdir', '--parents', folder);
    await checkUnit(machine, check);
    for (const name of ['compose', 'kubernetes']) await checkRestricted(machine, name, check);
  } finally {
    await machine.stop();
  }
}

async function check(title: string, body: () => Promise<string>): Promise<boolean> {
  try {
    const more = await body();
    tally.add('passed', more === '' ? title : `${title}: ${more}`);
    return true;
  } catch (error) {
    tally.judge(title, [messageOf(error)]);
    return false;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function read(file: string): Promise<string> {
  return await readFile(file, 'utf8');
}
