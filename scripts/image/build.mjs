// docker/Dockerfile and a platform → an image built by buildah on a stand-in base: its configuration, and its root file system as a folder.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { standInBase } from './base.mjs';
import { run } from './tools.mjs';

/** Mounted where npm runs while building, so that the Dockerfile needs to know nothing of a registry or an authority of one's own. */
const certificates = '/etc/ssl/certs/ca-certificates.crt';

/** Everything is kept below that folder, apart from the user's own images; npm's downloads in a cache of its own, or in the one given. */
export function createBuilder(below, npmCache = path.join(below, 'npm-cache')) {
  const folder = path.resolve(below);
  mkdirSync(folder, { recursive: true });
  mkdirSync(npmCache, { recursive: true });
  const storage = ['--root', path.join(folder, 'storage'), '--runroot', path.join(folder, 'run')];
  const driver = storageDriver(storage);
  const buildah = ([command, ...args]) => {
    const layers = driver === 'overlay' ? ['--layers'] : [];
    const how =
      command === 'bud' ? ['--isolation', 'chroot', '--pull-never', '--format', 'docker', ...layers] : [];
    return run('buildah', [...storage, '--storage-driver', driver, command, ...how, ...args]).trim();
  };
  const bases = {};

  function base(arch) {
    bases[arch] ??= standInBase(arch, folder, buildah);
    return bases[arch];
  }

  /**
   * As `docker buildx build --platform linux/<arch>` does, the tools run on this machine's own platform. Debian's buildah looks for
   * every stage's base of the first one's platform (containers/buildah#4721), so that the platform comes as TARGETARCH and by the
   * bases themselves.
   */
  function build(arch) {
    const tag = `localhost/quati-${arch}`;
    buildah([
      'bud',
      ...['--file', 'docker/Dockerfile', '--tag', tag, '--build-arg', `TARGETARCH=${arch}`],
      ...['--build-arg', `NODE_IMAGE=${base(arch)}`, '--from', base('amd64')],
      ...npmMounts(folder, path.resolve(npmCache)),
      '.',
    ]);
    const { OCIv1, Docker } = JSON.parse(buildah(['inspect', '--type', 'image', tag]));
    const container = buildah(['from', '--pull-never', tag]);
    const root = buildah(['mount', container]);
    return { arch, root, config: Docker.config, architecture: OCIv1.architecture };
  }

  /** What is mounted, a build's that failed too. */
  function unmount() {
    buildah(['rm', '--all']);
  }

  return { build, unmount };
}

/** Overlay shares what layers have in common; vfs copies it, and works everywhere. */
function storageDriver(storage) {
  try {
    run('buildah', [...storage, '--storage-driver', 'overlay', 'images', '--quiet']);
    return 'overlay';
  } catch {
    return 'vfs';
  }
}

function npmMounts(folder, npmCache) {
  const settings = ['registry', 'cafile']
    .map((key) => [key, npmConfig(key)])
    .filter(([, value]) => value !== '');
  const npmrc = path.join(folder, 'npmrc');
  writeFileSync(npmrc, settings.map(([key, value]) => `${key}=${value}\n`).join(''));
  const mounts = [`${npmrc}:/usr/local/etc/npmrc:ro`, `${npmCache}:/root/.npm`];
  if (existsSync(certificates)) mounts.push(`${certificates}:${certificates}:ro`);
  return mounts.flatMap((mount) => ['--volume', mount]);
}

function npmConfig(key) {
  const value = run('npm', ['config', 'get', key], { cwd: '/' }).trim();
  return value === 'null' || value === 'undefined' ? '' : value;
}
