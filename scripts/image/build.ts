// docker/Dockerfile and a platform → an image that buildah builds on a substitute base: its configuration and root file system.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from '../run.js';
import { standInBase } from './base.js';
import type { Arch, Buildah } from './tools.js';

/** The settings of the Dockerfile, under Docker's names. */
interface ImageConfig {
  User: string;
  Env: string[];
  Entrypoint: string[];
  Cmd: string[];
  Labels?: Record<string, string>;
  Healthcheck?: { Test: string[] };
}

export interface Image {
  /** The platform of the build. */
  arch: Arch;
  /** The platform in its configuration. */
  architecture: string;
  /** The folder of its root file system. */
  root: string;
  config: ImageConfig;
}

export interface Builder {
  /** Builds the image like `docker buildx build --platform linux/<arch>`. */
  build(arch: Arch): Promise<Image>;
  /** Unmounts every image, also after a failed build. */
  unmount(): Promise<void>;
}

/** Mounted for npm during the build, so that the Dockerfile names no registry and no certificate authority. */
const certificates = '/etc/ssl/certs/ca-certificates.crt';

/**
 * Keeps all files in the folder `below`, separate from the user's images.
 * @param npmCache the folder of npm's downloads; default: one in `below`.
 */
export async function createBuilder(
  below: string,
  npmCache = path.join(below, 'npm-cache'),
): Promise<Builder> {
  const folder = path.resolve(below);
  mkdirSync(folder, { recursive: true });
  mkdirSync(npmCache, { recursive: true });
  const buildah = await createBuildah(folder);
  const bases = new Map<Arch, Promise<string>>();

  function base(arch: Arch): Promise<string> {
    const tag = bases.get(arch) ?? standInBase(arch, folder, buildah);
    bases.set(arch, tag);
    return tag;
  }

  /**
   * The tools run on the platform of this machine. Debian's buildah uses the platform of the first stage for all bases
   * (containers/buildah#4721). So TARGETARCH and the bases give the platform.
   */
  async function build(arch: Arch): Promise<Image> {
    const tag = `localhost/quati-${arch}`;
    await buildah(
      'bud',
      ...['--file', 'docker/Dockerfile', '--tag', tag, '--build-arg', `TARGETARCH=${arch}`],
      ...['--build-arg', `NODE_IMAGE=${await base(arch)}`, '--from', await base('amd64')],
      ...(await npmMounts(folder, path.resolve(npmCache))),
      '.',
    );
    const { OCIv1, Docker } = JSON.parse(await buildah('inspect', '--type', 'image', tag)) as {
      OCIv1: { architecture: string };
      Docker: { config: ImageConfig };
    };
    const container = await buildah('from', '--pull-never', tag);
    const root = await buildah('mount', container);
    return { arch, root, config: Docker.config, architecture: OCIv1.architecture };
  }

  async function unmount(): Promise<void> {
    await buildah('rm', '--all');
  }

  return { build, unmount };
}

/** Overlay shares the files of common layers. vfs copies them, and works everywhere. */
async function createBuildah(folder: string): Promise<Buildah> {
  const storage = ['--root', path.join(folder, 'storage'), '--runroot', path.join(folder, 'run')];
  const driver = await storageDriver(storage);
  const layers = driver === 'overlay' ? ['--layers'] : [];
  const building = ['--isolation', 'chroot', '--pull-never', '--format', 'docker', ...layers];
  return async (command, ...args) => {
    const options = command === 'bud' ? building : [];
    const output = await run('buildah', [
      ...storage,
      '--storage-driver',
      driver,
      command,
      ...options,
      ...args,
    ]);
    return output.trim();
  };
}

async function storageDriver(storage: readonly string[]): Promise<string> {
  try {
    await run('buildah', [...storage, '--storage-driver', 'overlay', 'images', '--quiet']);
    return 'overlay';
  } catch {
    return 'vfs';
  }
}

async function npmMounts(folder: string, npmCache: string): Promise<string[]> {
  const settings: string[] = [];
  for (const key of ['registry', 'cafile']) {
    const value = await npmConfig(key);
    if (value !== '') settings.push(`${key}=${value}\n`);
  }
  const npmrc = path.join(folder, 'npmrc');
  writeFileSync(npmrc, settings.join(''));
  const mounts = [`${npmrc}:/usr/local/etc/npmrc:ro`, `${npmCache}:/root/.npm`];
  if (existsSync(certificates)) mounts.push(`${certificates}:${certificates}:ro`);
  return mounts.flatMap((mount) => ['--volume', mount]);
}

async function npmConfig(key: string): Promise<string> {
  const value = (await run('npm', ['config', 'get', key], { cwd: '/' })).trim();
  return value === 'null' || value === 'undefined' ? '' : value;
}
