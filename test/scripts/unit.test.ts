// docker/compose.yaml, docker/kubernetes/quati.yaml and docker/Dockerfile → the restrictions and the start that `npm run verify:unit` tries.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readImageStart } from '../../scripts/unit/image.js';
import {
  composeRestrictions,
  kubernetesRestrictions,
  restrictedUnit,
} from '../../scripts/unit/restrictions.js';
import { projectFolder } from '../helpers/project.js';

const mebibyte = 2 ** 20;
const compose = read('docker/compose.yaml');
const kubernetes = read('docker/kubernetes/quati.yaml');

function read(file: string): string {
  return readFileSync(join(projectFolder, file), 'utf8');
}

t.test('the manifests give the container two writable folders and 512 MiB', async (t) => {
  t.same(composeRestrictions(compose), {
    user: undefined,
    writable: [{ folder: '/tmp' }, { folder: '/cache' }],
    memoryBytes: 512 * mebibyte,
  });
  t.same(kubernetesRestrictions(kubernetes), {
    user: '1000:1000',
    writable: [
      { folder: '/tmp', bytes: 16 * mebibyte },
      { folder: '/cache', bytes: 16 * mebibyte },
    ],
    memoryBytes: 512 * mebibyte,
  });
});

t.test('a manifest that lost a restriction is refused', async (t) => {
  const lines = ['read_only: true', '      - ALL', 'no-new-privileges:true', 'mem_limit: 512m'];
  for (const line of lines) {
    t.ok(compose.includes(line), line);
    t.throws(() =>
      composeRestrictions(compose.replace(line, line.startsWith(' ') ? '      - KILL' : 'x: y')),
    );
  }
  const settings = [
    'runAsNonRoot',
    'RuntimeDefault',
    'allowPrivilegeEscalation',
    'readOnlyRootFilesystem',
    'ALL',
  ];
  for (const setting of settings) {
    t.ok(kubernetes.includes(setting), setting);
    t.throws(
      () => kubernetesRestrictions(kubernetes.replaceAll(setting, 'other')),
      /kubernetes\/quati\.yaml: .* is missing/,
    );
  }
});

t.test(
  'the unit has the command and variables of the image, and the user of the image or the manifest',
  async (t) => {
    const image = readImageStart(read('docker/Dockerfile'));
    t.match(image, {
      command: ['node', '/app/dist/cli/main.js', 'serve'],
      folder: '/app',
      user: '1000:1000',
    });
    t.ok(image.variables.includes('QUATI_PORT=8000'));
    const unit = restrictedUnit(image, composeRestrictions(compose));
    t.match(unit, /^ExecStart=\/usr\/bin\/node \/app\/dist\/cli\/main\.js serve$/m);
    t.match(unit, /^User=1000\nGroup=1000\nMemoryMax=536870912$/m);
    t.match(restrictedUnit(image, { user: '7:8', writable: [], memoryBytes: 1 }), /^User=7\nGroup=8$/m);
    t.throws(() => readImageStart('FROM a\nENV A=b\nFROM c\n'), /the last stage has no ENTRYPOINT/);
  },
);
