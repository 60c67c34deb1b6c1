// docker/Dockerfile and a platform → an image that buildah builds on a stand-in base: its configuration, and its root file system.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { standInBase } from './base.js';
import { run } from './tools.js';

/** As Debian and Docker call a platform. */
export type Arch = 'amd64' | 'arm64';

/** Runs a command of buildah. @returns its standard output, trimmed. */
export type Buildah = (command: string, ...args: string[]) => string;

/** What the Dockerfile sets, under Docker's names. */
export interface ImageConfig {
  User: string;
  Env: string[];
  Entrypoint: string[];
  Cmd: string[];
  Labels?: Record<string, string>;
  Healthcheck?: { Test: string[] };
}

export interface Image {
  /** The platform that it was built for. */
  arch: Arch;
  /** The platform that it names itself. */
  architecture: string;
  /** The folder of its root file system. */
  root: string;
  config: ImageConfig;
}

export interface Builder {
  /** Builds the image as `docker buildx build --platform linux/<arch>` does. */
  build(arch: Arch): Image;
  /** Unmounts every image, also that of a build that failed. */
  unmount(): void;
}

/** Mounted where npm runs while building, so that the Dockerfile names no registry and no certificate authority. */
const certificates = '/etc/ssl/certs/ca-certificates.crt';

/**
 * Keeps everything in the folder `below`, apart from the user's own images.
 * @param npmCache the folder of npm's downloads; default: one in `below`.
 */
export function createBuilder(below: string, npmCache = path.join(below, 'npm-cache')): Builder {
  const folder = path.resolve(below);
  mkdirSync(folder, { recursive: true });
  mkdirSync(npmCache, { recursive: true });
  const buildah = createBuildah(folder);
  const bases = new Map<Arch, string>();

  function base(arch: Arch): string {
    const tag = bases.get(arch) ?? standInBase(arch, folder, buildah);
    bases.set(arch, tag);
    return tag;
  }

  /**
   * The tools run on this machine's own platform. Debian's buildah looks for every stage's base of the first one's platform
   * (containers/buildah#4721), so that the platform comes as TARGETARCH and by the bases themselves.
   */
  function build(arch: Arch): Image {
    const tag = `localhost/quati-${arch}`;
    buildah(
      'bud',
      ...['--file', 'docker/Dockerfile', '--tag', tag, '--build-arg', `TARGETARCH=${arch}`],
      ...['--build-arg', `NODE_IMAGE=${base(arch)}`, '--from', base('amd64')],
      ...npmMounts(folder, path.resolve(npmCache)),
      '.',
    );
    const { OCIv1, Docker } = JSON.parse(buildah('inspect', '--type', 'image', tag)) as {
      OCIv1: { architecture: string };
      Docker: { config: ImageConfig };
    };
    const container = buildah('from', '--pull-never', tag);
    const root = buildah('mount', container);
    return { arch, root, config: Docker.config, architecture: OCIv1.architecture };
  }

  return { build, unmount: () => void buildah('rm', '--all') };
}

/** Overlay shares what layers have in common; vfs copies it, and works everywhere. */
function createBuildah(folder: string): Buildah {
  const storage = ['--root', path.join(folder, 'storage'), '--runroot', path.join(folder, 'run')];
  const driver = storageDriver(storage);
  const layers = driver === 'overlay' ? ['--layers'] : [];
  const building = ['--isolation', 'chroot', '--pull-never', '--format', 'docker', ...layers];
  return (command, ...args) => {
    const options = command === 'bud' ? building : [];
    return run('buildah', [...storage, '--storage-driver', driver, command, ...options, ...args]).trim();
  };
}

function storageDriver(storage: readonly string[]): string {
  try {
    run('buildah', [...storage, '--storage-driver', 'overlay', 'images', '--quiet']);
    return 'overlay';
  } catch {
    return 'vfs';
  }
}

function npmMounts(folder: string, npmCache: string): string[] {
  const settings = ['registry', 'cafile'].flatMap((key) => {
    const value = npmConfig(key);
    return value === '' ? [] : [`${key}=${value}\n`];
  });
  const npmrc = path.join(folder, 'npmrc');
  writeFileSync(npmrc, settings.join(''));
  const mounts = [`${npmrc}:/usr/local/etc/npmrc:ro`, `${npmCache}:/root/.npm`];
  if (existsSync(certificates)) mounts.push(`${certificates}:${certificates}:ro`);
  return mounts.flatMap((mount) => ['--volume', mount]);
}

function npmConfig(key: string): string {
  const value = run('npm', ['config', 'get', key], { cwd: '/' }).trim();
  return value === 'null' || value === 'undefined' ? '' : value;
}
