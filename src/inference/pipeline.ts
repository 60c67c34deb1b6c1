// READ FIRST: the bytes of an image → its category. The stages, in order:
//   decode      bytes → pixels at the model's size           decode.ts
//   batch       waits, with others, for a free worker        batcher.ts
//   run         worker: pixels → tensor → session → scores   pool.ts, worker.ts, tensor.ts, session.ts
//   category    scores → confidences → predictions           category.ts
import { availableParallelism } from 'node:os';
import { createBatcher } from './batcher.js';
import type { VariantName } from './card.js';
import { confidencesToPredictions, type Prediction, scoresToConfidences } from './category.js';
import { decodeImage } from './decode.js';
import { QueueFullError } from './errors.js';
import { type ModelSet, type ModelStatus, openModels } from './models.js';
import { createPool } from './pool.js';
import { readRepository, type StoredModel } from './repository.js';

export interface PipelineOptions {
  /** The folder of <name>/<version>/card.json. */
  models: string;
  /** The model of an image that names none. */
  defaultModel?: string | undefined;
  /** Served instead of each card's default, where a card has it; auto measures and serves the fastest that is accurate enough. */
  variant?: VariantName | 'auto' | undefined;
  /** Inference threads; default one a processor. */
  workers?: number | undefined;
  maxPixels?: number | undefined;
  /** Images that are decoded or wait, over all models. */
  maxQueueImages?: number | undefined;
  /** Images in a batch. */
  maxBatch?: number | undefined;
  createPool?: typeof createPool;
}

export interface ClassifyOptions {
  model?: string | undefined;
  version?: number | undefined;
  /** Aborted: an image that still waits is dropped. */
  signal?: AbortSignal | undefined;
  /** From now on; an image whose batch hasn't started by then isn't run. */
  deadlineMs?: number | undefined;
}

export interface Classification {
  model: { name: string; version: number; variant: VariantName };
  /** One a label, the surest first. */
  predictions: Prediction[];
}

export interface Pipeline {
  /**
   * @throws EmptyImageError, UnsupportedTypeError, UndecodableImageError, TooManyPixelsError, ModelNotFoundError,
   * ModelNotReadyError, QueueFullError, DeadlineExceededError, DrainingError, ModelError, or the signal's reason.
   */
  classify(bytes: Uint8Array, options?: ClassifyOptions): Promise<Classification>;
  /** Every version of every model, by name and version. */
  models(): readonly ModelStatus[];
  /** Whether there are models and the served version of each can answer. */
  ready(): boolean;
  /** Takes nothing more, answers what it took, ends the workers. */
  close(): Promise<void>;
}

/** Opens the models, warms every one of them and replays its golden images; resolves when that is done. */
export async function createPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { workers = availableParallelism(), maxPixels = 25_000_000 } = options;
  const { maxQueueImages = 256, maxBatch = 16 } = options;
  const repository = await readRepository(options.models, options.variant);
  const pool = (options.createPool ?? createPool)({
    models: poolModels(repository.stored),
    threads: workers,
  });
  const models = await openModels(repository, pool, options.defaultModel);
  const batcher = createBatcher({ run: pool.run, workers, maxBatch, maxQueueImages });
  let decoding = 0;

  async function decode(bytes: Uint8Array, model: StoredModel): Promise<Uint8Array> {
    const { data } = await decodeImage(bytes, model.card.input, { maxPixels });
    return data;
  }

  function categories(scores: Float32Array, { card }: StoredModel): Prediction[] {
    const confidences = scoresToConfidences(scores, card.output, card.labels.length);
    return confidencesToPredictions(confidences, card.labels);
  }

  async function classify(
    bytes: Uint8Array,
    { model: name, version, signal, deadlineMs }: ClassifyOptions = {},
  ): Promise<Classification> {
    const deadlineAt = deadlineMs === undefined ? undefined : performance.now() + deadlineMs;
    const model = models.choose(name, version);
    if (decoding + batcher.waiting >= maxQueueImages)
      throw new QueueFullError(`${maxQueueImages} images wait already, more are not allowed`);
    decoding++;
    const pixels = await decode(bytes, model).finally(() => decoding--);
    const scores = await batcher.submit(model.key, pixels, { signal, deadlineAt });
    const predictions = categories(scores, model);
    return { model: { name: model.name, version: model.version, variant: model.variant }, predictions };
  }

  return {
    classify,
    models: () => models.status,
    ready: () => isReady(models),
    async close() {
      await batcher.close();
      await pool.close();
    },
  };
}

function poolModels(stored: readonly StoredModel[]) {
  return stored.map(({ key, file, card }) => ({ key, file, input: card.input }));
}

function isReady({ status }: ModelSet): boolean {
  const served = status.filter((model) => model.served);
  return served.length > 0 && served.every((model) => model.ready);
}
