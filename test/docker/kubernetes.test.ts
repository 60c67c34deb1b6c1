// docker/kubernetes, compared with the published schemas of Kubernetes 1.37 and KServe 0.21, and with the paths and metrics of the service.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { Compile } from 'typebox/schema';
import { parseAllDocuments } from 'yaml';
import { createMetrics } from '../../src/service/metrics.js';
import { projectFolder } from '../helpers/project.js';
import { createTestApp } from '../helpers/service.js';

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  spec: Record<string, unknown>;
}

const folder = path.join(projectFolder, 'docker/kubernetes');
const { kinds, $defs } = JSON.parse(
  readFileSync(path.join(projectFolder, 'test/fixtures/kubernetes/schemas.json'), 'utf8'),
) as { kinds: Record<string, string>; $defs: Record<string, object> };

const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.yaml'),
);
const manifests = files.sort().flatMap((file) =>
  parseAllDocuments(readFileSync(path.join(folder, file), 'utf8'), { merge: false }).map((document) => ({
    file,
    manifest: document.toJS() as Manifest,
  })),
);

/** The places where a manifest breaks the schema of its kind. */
function findErrors(manifest: Manifest): string[] {
  const name = kinds[`${manifest.apiVersion} ${manifest.kind}`];
  if (name === undefined) return [`${manifest.apiVersion} ${manifest.kind} has no recorded schema`];
  const [valid, errors] = Compile({ $ref: `#/$defs/${name}`, $defs }).Errors(manifest);
  return valid ? [] : errors.map(({ instancePath, message }) => `${instancePath} ${message}`);
}

function find(kind: string): Manifest {
  const found = manifests.find(({ manifest }) => manifest.kind === kind)?.manifest;
  if (!found) throw new Error(`no ${kind}`);
  return found;
}

t.test('every manifest is valid by its published schema', async (t) => {
  for (const { file, manifest } of manifests) t.same(findErrors(manifest), [], `${file}: ${manifest.kind}`);
  t.same(
    manifests.map(({ manifest }) => manifest.kind),
    [
      'InferenceService',
      'ServingRuntime',
      'Deployment',
      'Service',
      'HorizontalPodAutoscaler',
      'PodDisruptionBudget',
    ],
  );
});

t.test('a wrong name, a wrong type or a missing field is an error', async (t) => {
  for (const [kind, place, value] of [
    ['Deployment', ['spec', 'template', 'spec', 'containers', 0, 'readinesProbe'], {}],
    ['Deployment', ['spec', 'template', 'spec', 'containers', 0, 'ports', 0, 'containerPort'], 'http'],
    ['HorizontalPodAutoscaler', ['spec', 'maxReplicas'], undefined],
    ['PodDisruptionBudget', ['spec', 'maxUnavailable'], [1]],
    ['ServingRuntime', ['spec', 'containers', 0, 'env', 0, 'name'], undefined],
    ['ServingRuntime', ['spec', 'containers'], undefined],
    ['InferenceService', ['spec', 'predictor', 'model', 'modelFormat'], 'quati'],
    ['InferenceService', ['spec', 'predictor', 'model', 'storageURI'], 'pvc://models'],
  ] as const) {
    const changed = structuredClone(find(kind));
    setAt(changed, place, value);
    t.not(findErrors(JSON.parse(JSON.stringify(changed))).length, 0, `${kind} ${place.join('.')}`);
  }
});

function setAt(object: object, place: readonly (string | number)[], value: unknown): void {
  let inner = object as Record<string | number, unknown>;
  for (const key of place.slice(0, -1)) inner = inner[key] as typeof inner;
  inner[place.at(-1) ?? ''] = value;
}

t.test(
  'the service has the paths that the probes request and the metric that the autoscaler reads',
  async (t) => {
    const app = await createTestApp(t);
    const text = JSON.stringify(manifests);
    const paths = new Set([...text.matchAll(/"path":"([^"]+)"/g)].map(([, found = '']) => found));
    t.same([...paths].sort(), ['/health/live', '/health/ready', '/v2/health/live', '/v2/health/ready']);
    for (const url of [...paths, '/metrics']) t.equal((await app.inject({ url })).statusCode, 200, url);
    const [metric] = /quati_\w+/.exec(JSON.stringify(find('HorizontalPodAutoscaler'))) ?? [];
    const waiting = [{ name: 'cifar10', version: 1, variant: 'int8' as const, images: 3 }];
    const rendered = await createMetrics().render({ waiting: () => waiting, models: () => [] });
    t.match(rendered, new RegExp(`^${metric}\\{model="cifar10",version="1",variant="int8"\\} 3$`, 'm'));
  },
);

t.test('a pod has enough time to drain before Kubernetes kills it', async (t) => {
  const pod = (find('Deployment').spec.template as { spec: Record<string, unknown> }).spec;
  const [container] = pod.containers as [
    { env: { name: string; value: string }[]; lifecycle: { preStop: { sleep: { seconds: number } } } },
  ];
  const drain = container.env.find(({ name }) => name === 'QUATI_DRAIN_TIMEOUT_MS')?.value;
  const needed = container.lifecycle.preStop.sleep.seconds + Number(drain) / 1000;
  t.ok(needed < Number(pod.terminationGracePeriodSeconds), `${needed} s`);
});

t.test('all manifests use the same image, with this version', async (t) => {
  const images = [...JSON.stringify(manifests).matchAll(/"image":"([^"]+)"/g)].map(([, image]) => image);
  const { version } = JSON.parse(readFileSync(path.join(projectFolder, 'package.json'), 'utf8'));
  t.same([...new Set(images)], [`registry.example/quati:${version}`]);
  t.match(readFileSync(path.join(projectFolder, 'docker/Dockerfile'), 'utf8'), `image.version="${version}"`);
});
