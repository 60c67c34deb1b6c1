// READ FIRST: the bytes of an image → its category. The stages, in order:
//   admit       the header → the memory that decoding takes       limits.ts, header.ts
//   batch       waits with other images for a free worker        batcher.ts
//   run         in a worker thread                           pool.ts, worker.ts, runner.ts
//     decode      bytes → pixels at the model's size           decode.ts, png.ts, digits.ts
//     tensor      pixels → the model's numbers                 tensor.ts
//     session     tensor → scores                              session.ts
//   category    scores → confidences → predictions           category.ts
import { setMaxListeners } from 'node:events';
import { type Batcher, createBatcher, type Lane } from './batcher.js';
import { confidencesToPredictions, type Prediction, scoresToConfidences } from './category.js';
import { messageToError } from './errors.js';
import { type AdmissionLimits, admitImage, defaultMaxPixels } from './image/limits.js';
import { packPng } from './image/png.js';
import type { TensorValues } from './image/tensor.js';
import type { VariantName } from './models/card.js';
import { type LiveModel, openModels } from './models/live-models.js';
import { readRepository } from './models/repository.js';
import type { ModelChanges, ModelStatus } from './models/status.js';
import { countCpus } from './workers/cpus.js';
import type { Generation } from './workers/generation.js';
import { createPool } from './workers/pool.js';
import type { RunnerImage, RunnerResult } from './workers/runner.js';

export interface PipelineOptions {
  /** The folder of <name>/<version>/card.json. */
  models: string;
  /** The model for an image that names none. */
  defaultModel?: string | undefined;
  /** The same if there is no default; the folder need not have this model. */
  fallbackModel?: string | undefined;
  /** Replaces the default variant of each card that has it. `auto` measures, and serves the fastest accurate variant. */
  variant?: VariantName | 'auto' | undefined;
  /** The number of inference threads; by default one per processor. */
  workers?: number | undefined;
  /** Width times height of an image as uploaded; default 25,000,000. */
  maxPixels?: number | undefined;
  /** The most memory for all images that are decoded at the same time. No limit by default. */
  maxDecodeBytes?: number | undefined;
  /** The most waiting images, over all models. */
  maxQueueImages?: number | undefined;
  /** The most bytes of waiting images, as uploads or tensors. */
  maxQueueBytes?: number | undefined;
  /** The most images in a batch. */
  maxBatch?: number | undefined;
  /** The longest time that a batch of several images should take. */
  maxBatchMs?: number | undefined;
  observer?: PipelineObserver | undefined;
  createPool?: typeof createPool;
}

/** Callbacks for events, for the metrics. */
export interface PipelineObserver {
  batch?(model: ModelName, images: number): void;
  image?(model: ModelName, timings: Timings): void;
  workerLost?(reason: string): void;
  /** Workers that were replaced and have not ended, after each change. */
  workersStuck?(workers: number): void;
}

interface ModelName {
  name: string;
  version: number;
  variant: VariantName;
}

/** The time that one image spent in each stage. */
export interface Timings {
  /** The wait for a free worker. */
  queueMs: number;
  decodeMs: number;
  /** The time of the whole batch. */
  inferenceMs: number;
}

export interface ClassifyOptions {
  model?: string | undefined;
  version?: number | undefined;
  /** Replaces the served variant. It is loaded at its first request. */
  variant?: VariantName | undefined;
  /** An abort drops an image that still waits. */
  signal?: AbortSignal | undefined;
  /** On the clock of clock.ts: an image that is not decoded by then is not run. No deadline by default. */
  deadline?: number | undefined;
}

export interface Classification {
  model: ModelName;
  /** One per label, highest confidence first. */
  predictions: Prediction[];
  timings: Timings;
}

/** An image's file, or its tensor in the layout and type of the model. */
export type InferenceInput = { bytes: Uint8Array } | { tensor: TensorValues };

interface Inference {
  model: ModelName;
  /** The model's output before any softmax, one row per image. */
  scores: Float32Array[];
  timings: Timings[];
}

export interface Pipeline {
  /**
   * @throws EmptyImageError, UnsupportedTypeError, UndecodableImageError, NoInkError, TooManyPixelsError, TooComplexError,
   * ModelNotFoundError, ModelNotReadyError, QueueFullError, DeadlineExceededError, DrainingError, ModelError, or the signal's reason.
   */
  classify(bytes: Uint8Array, options?: ClassifyOptions): Promise<Classification>;
  /** Classifies several images with one model. The first failure fails all of them. @throws the same errors as classify */
  infer(images: readonly InferenceInput[], options?: ClassifyOptions): Promise<Inference>;
  /** Returns a PNG of the model's view of the image: decoded, centred and resized. @throws the same errors as classify */
  preview(bytes: Uint8Array, options?: ClassifyOptions): Promise<Buffer>;
  /** Returns the model for a request. @throws ModelNotFoundError, ModelNotReadyError */
  choose(name?: string, version?: number): LiveModel;
  /** All versions of all models, sorted by name and version. */
  models(): readonly ModelStatus[];
  /** Messages about folders that look like versions and are none. */
  passedOver(): readonly string[];
  /** The model for a request that names none; undefined if a request must name one. */
  impliedModel(): string | undefined;
  /** Loads the changes in the models folder, without losing an image. @throws when the folder cannot be read */
  reload(): Promise<ModelChanges>;
  /** Whether there are models and the served version of each is ready. */
  ready(): boolean;
  /** The number of workers that did not respond, were replaced, and have not stopped. */
  stuck(): number;
  /** The number of waiting images per model, for models with waiting images. */
  waiting(): WaitingImages[];
  /** Accepts no more images, finishes the accepted ones, then stops the workers. */
  close(): Promise<void>;
}

export interface WaitingImages extends ModelName {
  images: number;
}

/** An image in the batcher. */
interface Job {
  image: RunnerImage;
  /** The most memory that it takes while it runs. */
  cost: number;
  model: LiveModel;
  submittedAt: number;
  queueMs: number;
}

/** Loads the models, warms each one and replays its golden images. Resolves when that is done. */
export async function createPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { workers = countCpus(), maxPixels = defaultMaxPixels, maxDecodeBytes, observer = {} } = options;
  const { variant, createPool: create = createPool } = options;
  const batcher = createQueue(options, workers);
  let stuck = 0;
  const models = await openModels({
    read: (before) => readRepository(options.models, { variant, before }),
    startPool(models, onOpenFree) {
      const onFree = () => {
        onOpenFree();
        batcher.dispatch();
      };
      return create({
        models,
        threads: workers,
        maxPixels,
        onWorkerLost: observer.workerLost,
        onStuck(workers) {
          stuck = workers;
          observer.workersStuck?.(workers);
        },
        onFree,
      });
    },
    defaultModel: options.defaultModel,
    fallbackModel: options.fallbackModel,
  });
  const laneOf = createLanes(observer);

  async function submit(image: RunnerImage, model: LiveModel, signal?: AbortSignal): Promise<Answer> {
    const cost = costOf(image, { maxPixels, maxDecodeBytes });
    const job: Job = { image, cost, model, submittedAt: performance.now(), queueMs: 0 };
    const { deadline } = image;
    const result = await model.generation.use(() => batcher.submit(laneOf(model), job, { signal, deadline }));
    const inferenceMs = 'inferenceMs' in result ? result.inferenceMs : 0;
    const timings = { queueMs: job.queueMs, decodeMs: result.decodeMs, inferenceMs };
    observer.image?.(nameOf(model), timings);
    return { result, timings };
  }

  async function classify(bytes: Uint8Array, options: ClassifyOptions = {}): Promise<Classification> {
    const model = models.choose(options.model, options.version, options.variant);
    const { result, timings } = await submit(fileImage(bytes, 'scores', options), model, options.signal);
    const { card } = model;
    const confidences = scoresToConfidences(rowOf(result), card.output, card.labels.length);
    const predictions = confidencesToPredictions(confidences, card.labels);
    return { model: nameOf(model), predictions, timings };
  }

  async function infer(inputs: readonly InferenceInput[], options: ClassifyOptions = {}): Promise<Inference> {
    const model = models.choose(options.model, options.version, options.variant);
    batcher.checkRoom(
      inputs.length,
      inputs.reduce((bytes, input) => bytes + bytesOf(input), 0),
    );
    const failed = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal;
    // Each image adds a listener. Node warns at more than ten.
    setMaxListeners(0, signal);
    const answers = await Promise.all(
      inputs.map((input) => submit(inputImage(input, options), model, signal)),
    ).catch((error: unknown) => {
      failed.abort(error);
      throw error;
    });
    const scores = answers.map(({ result }) => rowOf(result));
    return { model: nameOf(model), scores, timings: answers.map(({ timings }) => timings) };
  }

  async function preview(bytes: Uint8Array, options: ClassifyOptions = {}): Promise<Buffer> {
    const model = models.choose(options.model, options.version, options.variant);
    const { result } = await submit(fileImage(bytes, 'pixels', options), model, options.signal);
    return packPng('pixels' in result ? result.pixels : new Uint8Array(), model.card.input);
  }

  return {
    classify,
    infer,
    preview,
    choose: models.choose,
    models: () => models.status,
    passedOver: () => models.passedOver,
    impliedModel: () => models.implied,
    reload: models.reload,
    ready: () => isReady(models.status),
    stuck: () => stuck,
    waiting: () => batcher.queued().map(({ first, images }) => ({ ...nameOf(first.model), images })),
    async close() {
      await batcher.close();
      await models.close();
    },
  };
}

function createQueue(options: PipelineOptions, workers: number): Batcher<Job, RunnerResult> {
  const { maxQueueImages = 256, maxQueueBytes, maxDecodeBytes, maxBatch = 16, maxBatchMs = 100 } = options;
  return createBatcher<Job, RunnerResult>({
    workers,
    maxBatch,
    maxBatchMs,
    maxQueueImages,
    maxQueueBytes,
    bytesOf: ({ image }) => bytesOf(image),
    maxRunningCost: maxDecodeBytes,
    costOf: ({ cost }) => cost,
  });
}

interface Answer {
  result: RunnerResult;
  timings: Timings;
}

/**
 * A model has one lane per generation of workers. Images from before and after a reload may wait at the same time. Each runs on the
 * model that served when it arrived.
 */
function createLanes(observer: PipelineObserver) {
  const lanes = new WeakMap<Generation, Map<string, Lane<Job, RunnerResult>>>();
  return ({ key, generation }: LiveModel): Lane<Job, RunnerResult> => {
    const ofGeneration = lanes.get(generation) ?? new Map<string, Lane<Job, RunnerResult>>();
    lanes.set(generation, ofGeneration);
    const lane = ofGeneration.get(key) ?? createLane(key, generation, observer);
    ofGeneration.set(key, lane);
    return lane;
  };
}

function createLane(
  key: string,
  generation: Generation,
  observer: PipelineObserver,
): Lane<Job, RunnerResult> {
  return {
    key,
    take() {
      const run = generation.take();
      return run && ((jobs) => runJobs(jobs, (images) => run(key, images), observer));
    },
  };
}

/** An error of one image fails only that image. */
async function runJobs(
  jobs: readonly Job[],
  run: (images: RunnerImage[]) => Promise<RunnerResult[]>,
  observer: PipelineObserver,
): Promise<(RunnerResult | Error)[]> {
  const start = performance.now();
  const [first] = jobs;
  if (first) observer.batch?.(nameOf(first.model), jobs.length);
  for (const job of jobs) job.queueMs = start - job.submittedAt;
  const results = await run(jobs.map(({ image }) => image));
  return results.map((result) => ('error' in result ? messageToError(result.error) : result));
}

function fileImage(
  bytes: Uint8Array,
  wanted: 'scores' | 'pixels',
  { deadline = Infinity }: ClassifyOptions,
): RunnerImage {
  return { bytes, wanted, deadline };
}

/**
 * Besides decoding, the copy of the upload that a worker gets.
 * @throws EmptyImageError, UnsupportedTypeError, UndecodableImageError, TooManyPixelsError, TooComplexError
 */
function costOf(image: RunnerImage, limits: AdmissionLimits): number {
  const copy = bytesOf(image);
  return 'bytes' in image ? copy + admitImage(image.bytes, limits) : copy;
}

function inputImage(input: InferenceInput, options: ClassifyOptions): RunnerImage {
  if ('bytes' in input) return fileImage(input.bytes, 'scores', options);
  return { tensor: input.tensor, deadline: options.deadline ?? Infinity };
}

function bytesOf(image: InferenceInput | RunnerImage): number {
  return 'bytes' in image ? image.bytes.byteLength : image.tensor.byteLength;
}

function rowOf(result: RunnerResult): Float32Array {
  return 'scores' in result ? result.scores : new Float32Array();
}

function nameOf({ name, version, variant }: LiveModel): ModelName {
  return { name, version, variant };
}

function isReady(status: readonly ModelStatus[]): boolean {
  const served = status.filter((model) => model.served);
  return served.length > 0 && served.every((model) => model.ready);
}
