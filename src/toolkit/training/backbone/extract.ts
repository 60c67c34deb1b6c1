// A cut backbone + images → their features, computed once; augmented images give further views of themselves.
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
  /** A row an image: [count, width]. */
  readonly rows: Float32Array;
  readonly width: number;
  readonly labels: Uint8Array;
}

export interface ExtractedFeatures {
  /** The training images as they are, then as the augmentation of the epochs 1, 2, … makes them. */
  readonly views: readonly Features[];
  /** Absent where the dataset has no images of its own to validate on. */
  readonly validation?: Features;
}

export interface ExtractOptions {
  readonly recipe: Recipe;
  /** How often each training image is seen, itself included. */
  readonly views: number;
  readonly threads: number;
  /** Threads that augment ahead; 0: the caller's own does. */
  readonly dataThreads: number;
  readonly onProgress?: (images: number, of: number) => void;
  readonly shouldStop?: () => boolean;
}

const batchSize = 16;

/** @returns undefined when it was told to stop. */
export async function extractFeatures(
  backbone: Graph,
  { train, validation }: Pick<Dataset, 'train' | 'validation'>,
  options: ExtractOptions,
): Promise<ExtractedFeatures | undefined> {
  const { InferenceSession, Tensor } = await loadRuntime();
  const session = await InferenceSession.create(encodeOnnx(backbone), {
    executionProviders: ['cpu'],
    intraOpNumThreads: options.threads,
    logSeverityLevel: 3,
  });
  const total = train.count * options.views + (validation?.count ?? 0);
  const { channels, height, width } = train;
  const run: Run = async ({ images, count }) => {
    const image = new Tensor('float32', images, [count, channels, height, width]);
    const results = await session.run({ [imageName]: image });
    return Float32Array.from((results[featuresName] as { data: Float32Array }).data);
  };
  let done = 0;
  const onImages = (count: number) => {
    done += count;
    options.onProgress?.(done, total);
    return options.shouldStop?.() ?? false;
  };
  const { input, seed, augmentation } = options.recipe;
  const common = { input, seed, batchSize };
  const asTheyAre = (split: Split) => createBatchSource({ ...common, split, threads: 0 });
  const augmented = createBatchSource({
    ...common,
    split: train,
    augmentation,
    threads: options.dataThreads,
  });
  try {
    const views: Features[] = [];
    for (let view = 0; view < options.views; view++) {
      const source = view === 0 ? asTheyAre(train) : augmented;
      const features = await featuresOf(run, { source, split: train, view }, onImages);
      if (features === undefined) return undefined;
      views.push(features);
    }
    if (validation === undefined) return { views };
    const source = asTheyAre(validation);
    const own = await featuresOf(run, { source, split: validation, view: 0 }, onImages);
    return own && { views, validation: own };
  } finally {
    await augmented.close();
    await session.release();
  }
}

/** A batch's features, row after row. */
type Run = (batch: Batch) => Promise<Float32Array>;

interface View {
  readonly source: BatchSource;
  readonly split: Split;
  /** 0 is the images as they are. */
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
