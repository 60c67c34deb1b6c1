// events of the pipeline and of HTTP → Prometheus metrics.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { PipelineObserver, Timings, WaitingImages } from '../inference/pipeline.js';

/** The state of a pipeline that is read with the metrics. */
interface MetricSources {
  waiting(): readonly WaitingImages[];
  models(): readonly { name: string; version: number; variant?: string; ready: boolean }[];
}

export interface Metrics {
  observer: PipelineObserver;
  request(method: string, route: string, status: number, seconds: number): void;
  rejected(reason: string): void;
  /** Returns everything above and the figures of the process in Prometheus' text format. */
  render(sources: MetricSources): Promise<string>;
  contentType: string;
}

const modelLabels = ['model', 'version', 'variant'] as const;
const requestSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const stageSeconds = [0.0001, 0.00025, 0.0005, ...requestSeconds];
const batchImages = [1, 2, 4, 8, 16, 32, 64];
const eventLoopResolutionMs = 10;

export function createMetrics(): Metrics {
  const registers = [new Registry()];
  const [registry = new Registry()] = registers;
  collectDefaultMetrics({ register: registry });
  const http = createHttpMetrics(registers);
  return {
    observer: createObserver(registers),
    ...http,
    render: createRender(registry),
    contentType: registry.contentType,
  };
}

function createHttpMetrics(registers: Registry[]) {
  const requests = new Counter({
    name: 'quati_requests_total',
    help: 'Requests that got a response.',
    labelNames: ['method', 'route', 'status'],
    registers,
  });
  const duration = new Histogram({
    name: 'quati_request_duration_seconds',
    help: 'Time from the headers of a request to the end of its response.',
    labelNames: ['route'],
    buckets: requestSeconds,
    registers,
  });
  const rejects = new Counter({
    name: 'quati_rejected_total',
    help: 'Requests that got a problem, by its code.',
    labelNames: ['reason'],
    registers,
  });
  return {
    request(method: string, route: string, status: number, seconds: number) {
      requests.inc({ method, route, status });
      duration.observe({ route }, seconds);
    },
    rejected: (reason: string) => rejects.inc({ reason }),
  };
}

function createObserver(registers: Registry[]): PipelineObserver {
  const histogram = (name: string, help: string, buckets = stageSeconds) =>
    new Histogram({ name: `quati_${name}`, help, buckets, labelNames: modelLabels, registers });
  const batch = histogram('batch_images', 'Images that ran together.', batchImages);
  const queue = histogram('queue_wait_seconds', 'Time that an image waited for a free worker.');
  const decode = histogram('decode_seconds', 'Time of decoding, centring and resizing an image.');
  const inference = histogram('inference_seconds', 'Time of the batch that contained the image.');
  const restarts = new Counter({
    name: 'quati_worker_restarts_total',
    help: 'Inference workers that exited and were replaced.',
    registers,
  });
  const stuck = new Gauge({
    name: 'quati_workers_stuck',
    help: 'Inference workers that did not respond, were replaced, and have not stopped.',
    registers,
  });
  return {
    batch: (model, images) => batch.observe(labels(model), images),
    image(model, { queueMs, decodeMs, inferenceMs }: Timings) {
      queue.observe(labels(model), queueMs / 1000);
      decode.observe(labels(model), decodeMs / 1000);
      if (inferenceMs > 0) inference.observe(labels(model), inferenceMs / 1000);
    },
    workerLost: () => restarts.inc(),
    workersStuck: (workers) => stuck.set(workers),
  };
}

function createRender(registry: Registry): Metrics['render'] {
  const registers = [registry];
  const waiting = new Gauge({
    name: 'quati_queue_images',
    help: 'Images that wait for a worker.',
    labelNames: modelLabels,
    registers,
  });
  const ready = new Gauge({
    name: 'quati_model_ready',
    help: '1 if the version is ready, else 0.',
    labelNames: modelLabels,
    registers,
  });
  const delay = new Gauge({
    name: 'quati_event_loop_delay_seconds',
    help: 'Delay of the event loop of the HTTP thread since the last scrape.',
    labelNames: ['quantile'],
    registers,
  });
  const loop = monitorEventLoopDelay({ resolution: eventLoopResolutionMs });
  loop.enable();
  return (sources) => {
    for (const gauge of [waiting, ready]) gauge.reset();
    for (const model of sources.models()) {
      ready.set(labels(model), model.ready ? 1 : 0);
      if (model.ready) waiting.set(labels(model), 0);
    }
    for (const model of sources.waiting()) waiting.set(labels(model), model.images);
    for (const percent of [50, 99, 100]) {
      // The histogram records whole intervals between two samples, which include its resolution.
      const ms = Math.max(0, loop.percentile(percent) / 1e6 - eventLoopResolutionMs);
      delay.set({ quantile: String(percent / 100) }, Number.isFinite(ms) ? ms / 1000 : 0);
    }
    loop.reset();
    return registry.metrics();
  };
}

/** A version that is not ready may have no variant. */
function labels({ name, version, variant = '' }: { name: string; version: number; variant?: string }) {
  return { model: name, version, variant };
}
