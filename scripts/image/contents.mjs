// an image → what is in it that should not be, what its configuration lacks, and how large it is.
import { closeSync, lstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import path from 'node:path';

/** e_machine of the ELF header. */
const machines = { amd64: 62, arm64: 183 };

/** In bytes, of the image for arm64: everything, and what is added to Node and Debian. */
export const limits = { whole: 330e6, added: 110e6 };

/** @returns what is wrong, as sentences. */
export function findFaults({ root, arch, architecture, config }) {
  const app = path.join(root, 'app');
  const faults = [];
  if (architecture !== arch) faults.push(`the image says it is for ${architecture}`);
  for (const file of filesBelow(app)) {
    const machine = machineOf(file);
    if (machine !== undefined && machine !== machines[arch])
      faults.push(`${path.relative(root, file)} is for another platform (ELF machine ${machine})`);
  }
  const { version, packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  for (const [place, { dev }] of Object.entries(packages))
    if (dev && exists(path.join(app, place))) faults.push(`${place} is for development alone`);
  if (!/^[1-9]\d*:/.test(config.User ?? '')) faults.push(`its user is ${config.User || 'root'}`);
  if (!config.Healthcheck) faults.push('it has no HEALTHCHECK');
  const labels = config.Labels ?? {};
  if (labels['org.opencontainers.image.version'] !== version)
    faults.push(
      `its version label is ${labels['org.opencontainers.image.version']}, package.json has ${version}`,
    );
  for (const key of ['title', 'description', 'revision', 'licenses', 'base.name'])
    if (!labels[`org.opencontainers.image.${key}`])
      faults.push(`the label org.opencontainers.image.${key} is missing`);
  return faults;
}

/** Bytes of files, a hard link once: of everything, and of what docker/Dockerfile adds to its base. */
export function sizesOf({ root }) {
  const added = ['app', 'models', 'cache'].map((name) => ({
    name,
    bytes: bytesBelow(path.join(root, name)),
  }));
  return { whole: bytesBelow(root), added: added.reduce((sum, { bytes }) => sum + bytes, 0), parts: added };
}

function bytesBelow(folder) {
  const seen = new Set();
  let sum = 0;
  for (const file of filesBelow(folder)) {
    const { ino, size } = lstatSync(file);
    if (!seen.has(ino)) sum += size;
    seen.add(ino);
  }
  return sum;
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

/** undefined for what is no ELF file of 64 bits, little-endian. */
function machineOf(file) {
  if (!lstatSync(file).isFile()) return undefined;
  const header = Buffer.alloc(20);
  const descriptor = openSync(file, 'r');
  const length = readSync(descriptor, header);
  closeSync(descriptor);
  return length === 20 && header.readUInt32BE(0) === 0x7f454c46 ? header.readUInt16LE(18) : undefined;
}

function exists(file) {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}
