// a cut backbone and images → their features, computed once. Augmented images are further views of an image.
import { loadRuntime } from '../../../inference/workers/runtime.js';
import { imageName } from '../../architectures/forward.js';
import type { Dataset, Split } from '../../datasets/dataset.js';
import type { Graph } from '../../graph/graph.js';
import { encodeOnnx } from '../../graph/onnx.js';
import { type BatchSource, createBatchSource } from '../batches/batch-source.js';
import type { Batch } from '../batches/batches.js';
import type { Recipe } from '../recipe/recipe.js';
import { featuresName } from './cut.js';

export interface Features {
  /** One row per image: [count, width]. */
  readonly rows: Float32Array;
  readonly width: number;
  readonly labels: Uint8Array;
}

export interface ExtractedFeatures {
  /** The features of the original training images, then of those augmented for the epochs 1, 2, … */
  readonly views: readonly Features[];
  /** Absent if the dataset has no validation images. */
  readonly validation?: Features;
}

export interface ExtractOptions {
  readonly recipe: Recipe;
  /** The number of views per training image, with the original. */
  readonly views: number;
  readonly threads: number;
  /** The threads that augment in advance; 0: the caller's thread augments. */
  readonly dataThreads: number;
  readonly onProgress?: (images: number, of: number) => void;
  readonly shouldStop?: () => boolean;
}

const batchSize = 16;

/** Computes features. @returns undefined if `shouldStop` returned true. */
export async function extractFeatures(
  backbone: Graph,
  { train, validation }: Pick<Dataset, 'train' | 'validation'>,
  options: ExtractOptions,
): Promise<ExtractedFeatures | undefined> {
  const { run, release } = await loadBackbone(backbone, train, options.threads);
  const total = train.count * options.views + (validation?.count ?? 0);
  let done = 0;
  const onImages = (count: number) => {
    done += count;
    options.onProgress?.(done, total);
    return options.shouldStop?.() ?? false;
  };
  const { input, seed, augmentation } = options.recipe;
  const common = { input, seed, batchSize };
  const original = (split: Split) => createBatchSource({ ...common, split, threads: 0 });
  const augmented = createBatchSource({
    ...common,
    split: train,
    augmentation,
    threads: options.dataThreads,
  });
  try {
    const views: Features[] = [];
    for (let view = 0; view < options.views; view++) {
      const source = view === 0 ? original(train) : augmented;
      const features = await featuresOf(run, { source, split: train, view }, onImages);
      if (features === undefined) return undefined;
      views.push(features);
    }
    if (validation === undefined) return { views };
    const source = original(validation);
    const own = await featuresOf(run, { source, split: validation, view: 0 }, onImages);
    return own && { views, validation: own };
  } finally {
    await augmented.close();
    await release();
  }
}

async function loadBackbone(
  backbone: Graph,
  { channels, height, width }: Split,
  threads: number,
): Promise<{ run: Run; release: () => Promise<void> }> {
  const { InferenceSession, Tensor } = await loadRuntime();
  const session = await InferenceSession.create(encodeOnnx(backbone), {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    logSeverityLevel: 3,
  });
  return {
    async run({ images, count }) {
      const image = new Tensor('float32', images, [count, channels, height, width]);
      const results = await session.run({ [imageName]: image });
      return Float32Array.from((results[featuresName] as { data: Float32Array }).data);
    },
    release: () => session.release(),
  };
}

/** The features of a batch, row by row. */
type Run = (batch: Batch) => Promise<Float32Array>;

interface View {
  readonly source: BatchSource;
  readonly split: Split;
  /** 0 for the original images. */
  readonly view: number;
}

async function featuresOf(
  run: Run,
  { source, split, view }: View,
  onImages: (count: number) => boolean,
): Promise<Features | undefined> {
  const order = Uint32Array.from({ length: split.count }, (_, i) => i);
  const parts: Float32Array[] = [];
  for await (const batch of source.read(order, view, 0)) {
    parts.push(await run(batch));
    if (onImages(batch.count)) return undefined;
  }
  const width = (parts[0]?.length ?? 0) / Math.min(batchSize, split.count);
  const rows = new Float32Array(split.count * width);
  parts.forEach((part, i) => {
    rows.set(part, i * batchSize * width);
  });
  return { rows, width, labels: split.labels };
}
