// The built checkout → the same folder that docs/raspberry-pi.md installs in /opt/quati: the package with production dependencies.
import { cp, mkdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../run.js';

interface Lock {
  packages: Record<string, { dev?: boolean; devOptional?: boolean }>;
}

/** Uses no registry: hard-links the production dependencies of package-lock.json from the checkout. */
export async function install(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  const target = path.join(folder, 'node_modules/quati');
  await mkdir(target, { recursive: true });
  const packed = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]);
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  const tarball = path.join(folder, filename);
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', target]);
  await rm(tarball);
  for (const place of await productionPackages()) {
    const to = path.join(folder, place);
    await mkdir(path.dirname(to), { recursive: true });
    await run('cp', ['-al', place, to]).catch(() => cp(place, to, { recursive: true }));
  }
  // The user that systemd creates must be able to read them, whatever the file mask of this user.
  await run('chmod', ['a+rX', folder, path.join(folder, 'node_modules')]);
  await run('chmod', ['-R', 'a+rX', target]);
}

/** Returns the outer packages. Each includes the packages inside it. */
async function productionPackages(): Promise<string[]> {
  const { packages } = JSON.parse(await readFile('package-lock.json', 'utf8')) as Lock;
  const places = Object.entries(packages)
    .filter(
      ([place, { dev, devOptional }]) =>
        /^node_modules\/(@[^/]+\/)?[^/]+$/.test(place) && !dev && !devOptional,
    )
    .map(([place]) => place);
  const there = await Promise.all(places.map((place) => stat(place).catch(() => undefined)));
  return places.filter((_, i) => there[i]);
}
