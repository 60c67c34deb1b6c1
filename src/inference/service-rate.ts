// Finished batches → the time per image of each model on one worker, and the expected wait of the queue.

export interface ServiceRate {
  /** Records that a worker ran a batch of `images` images in `ms`, with decoding. */
  record(model: string, images: number, ms: number): void;
  /** The time of one image on one worker; undefined before the first batch. */
  msPerImage(model: string): number | undefined;
}

/**
 * Keeps an exponential average over batches, `m += (1 - (1 - smoothing)^images) (ms / images - m)`: a batch of n counts as n of one image.
 */
export function createServiceRate(smoothing = 0.05): ServiceRate {
  const averages = new Map<string, number>();
  return {
    record(model, images, ms) {
      const latest = ms / images;
      const before = averages.get(model) ?? latest;
      averages.set(model, before + (1 - (1 - smoothing) ** images) * (latest - before));
    },
    msPerImage: (model) => averages.get(model),
  };
}
