// An image → unwanted files, missing configuration, and its size.
import { closeSync, lstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import path from 'node:path';
import type { Image } from './build.js';
import type { Arch } from './tools.js';

/** e_machine of the ELF header. */
const machines: Record<Arch, number> = { amd64: 62, arm64: 183 };

/** The limits in bytes for the arm64 image: the whole, and the part without Node and Debian. */
export const limits = { whole: 330e6, added: 110e6 };

export interface Sizes {
  /** The bytes of all files; a hard link counts once. */
  whole: number;
  /** The bytes that docker/Dockerfile adds to its base. */
  added: number;
  /** The folders that it adds. */
  parts: { name: string; bytes: number }[];
}

interface Lock {
  version: string;
  packages: Record<string, { dev?: boolean }>;
}

/** @returns the faults, as sentences. */
export function findFaults(image: Image): string[] {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lock;
  return [
    ...(image.architecture === image.arch
      ? []
      : [`the configuration of the image states ${image.architecture}`]),
    ...foreignBinaries(image),
    ...developmentPackages(image, lock),
    ...configurationFaults(image, lock.version),
  ];
}

function foreignBinaries({ root, arch }: Image): string[] {
  return filesBelow(path.join(root, 'app')).flatMap((file) => {
    const machine = machineOf(file);
    return machine === undefined || machine === machines[arch]
      ? []
      : [`${path.relative(root, file)} is for another platform (ELF machine ${machine})`];
  });
}

function developmentPackages({ root }: Image, { packages }: Lock): string[] {
  return Object.entries(packages).flatMap(([place, { dev }]) =>
    dev && exists(path.join(root, 'app', place)) ? [`${place} is only for development`] : [],
  );
}

function configurationFaults({ config }: Image, version: string): string[] {
  const labels = config.Labels ?? {};
  const faults: string[] = [];
  if (!/^[1-9]\d*:/.test(config.User)) faults.push(`its user is ${config.User || 'root'}`);
  if (!config.Healthcheck) faults.push('it has no HEALTHCHECK');
  if (labels['org.opencontainers.image.version'] !== version)
    faults.push(
      `its version label is ${labels['org.opencontainers.image.version']}, package.json has ${version}`,
    );
  for (const key of ['title', 'description', 'revision', 'licenses', 'base.name'])
    if (!labels[`org.opencontainers.image.${key}`])
      faults.push(`the label org.opencontainers.image.${key} is missing`);
  return faults;
}

export function sizesOf({ root }: Image): Sizes {
  const parts = ['app', 'models', 'cache'].map((name) => ({
    name,
    bytes: bytesBelow(path.join(root, name)),
  }));
  return { whole: bytesBelow(root), added: parts.reduce((sum, { bytes }) => sum + bytes, 0), parts };
}

function bytesBelow(folder: string): number {
  const seen = new Set<number>();
  let sum = 0;
  for (const file of filesBelow(folder)) {
    const { ino, size } = lstatSync(file);
    if (!seen.has(ino)) sum += size;
    seen.add(ino);
  }
  return sum;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

/** Returns undefined for a file that is not a 64-bit little-endian ELF file. */
function machineOf(file: string): number | undefined {
  if (!lstatSync(file).isFile()) return undefined;
  const header = Buffer.alloc(20);
  const descriptor = openSync(file, 'r');
  const length = readSync(descriptor, header);
  closeSync(descriptor);
  return length === 20 && header.readUInt32BE(0) === 0x7f454c46 ? header.readUInt16LE(18) : undefined;
}

function exists(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}
