// the imports of src/ against the import rule of the design.
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import t from 'tap';
import { projectFolder } from './helpers/project.js';

const root = projectFolder;

interface Import {
  /** From the top of the repository. */
  file: string;
  target: string;
  typeOnly: boolean;
  dynamic: boolean;
}

const imports = await readImports();

t.test('service and toolkit meet in inference alone, and nothing imports the command line', async (t) => {
  const allowed: Record<string, string[]> = {
    inference: ['inference'],
    service: ['service', 'inference'],
    toolkit: ['toolkit', 'inference'],
    client: ['client', 'inference', 'service', 'toolkit'],
    cli: ['cli', 'client', 'inference', 'service', 'toolkit'],
  };
  const wrong = imports.filter(({ file, target }) => {
    const [, room = '', ...rest] = file.split('/');
    const [top, aim = ''] = target.split('/');
    return rest.length > 0 && top === 'src' && !allowed[room]?.includes(aim);
  });
  t.same(wrong, []);
  t.ok(imports.length > 50, 'imports were found');
});

t.test(
  'onnxruntime-node is loaded in one place; its types are named in inference and training',
  async (t) => {
    const found = imports.filter(({ target }) => target === 'onnxruntime-node');
    const loading = found.filter(({ typeOnly }) => !typeOnly);
    t.same(
      loading.map(({ file }) => file),
      ['src/inference/workers/runtime.ts'],
    );
    const elsewhere = found.filter(({ file }) => !/^src\/(inference|toolkit\/training)\//.test(file));
    t.same(elsewhere, []);
  },
);

t.test('images are decoded in one place, and written in one', async (t) => {
  const users = imports.filter(({ target }) => target === 'sharp').map(({ file }) => file);
  t.same(
    users.filter((file) => !file.startsWith('src/toolkit/images/')),
    ['src/inference/image/decode.ts'],
  );
});

t.test('a worker starts without what only the main thread or a photo needs', async (t) => {
  const needed = new Set(['src/inference/workers/worker.ts']);
  for (const file of needed)
    for (const { target, typeOnly, dynamic } of imports.filter((one) => one.file === file))
      if (!typeOnly && !dynamic) needed.add(target.replace(/\.js$/, '.ts'));
  t.same(
    [...needed].filter((target) => !target.startsWith('src/') && !target.startsWith('node:')),
    [],
    'each would cost every worker a tenth of a second and megabytes: sharp 10, typebox 25',
  );
  t.ok(needed.has('src/inference/workers/session.ts'));
});

async function readImports(): Promise<Import[]> {
  const files = (await readdir(join(root, 'src'), { recursive: true })).filter((file) =>
    file.endsWith('.ts'),
  );
  const found = await Promise.all(
    files.sort().map(async (name) => {
      const file = join('src', name);
      const source = await readFile(join(root, file), 'utf8');
      return [
        ...source.matchAll(/^(?:import|export)\s+(type\s)?[^;]*?\bfrom\s+'([^']+)'|\bimport\('([^']+)'\)/gm),
      ].map(([, type, from, dynamic]) => ({
        file,
        target: resolveTarget(file, from ?? dynamic ?? ''),
        typeOnly: type !== undefined,
        dynamic: dynamic !== undefined,
      }));
    }),
  );
  return found.flat();
}

function resolveTarget(file: string, specifier: string): string {
  return specifier.startsWith('.') ? relative(root, join(root, dirname(file), specifier)) : specifier;
}
