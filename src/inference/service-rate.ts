// finished batches → how long an image of each model takes a worker, and so how long those that wait will take.

export interface ServiceRate {
  /** A worker ran a batch of that many images in `ms`, decoding included. */
  record(model: string, images: number, ms: number): void;
  /** Of one image on one worker; undefined before the first batch. */
  msPerImage(model: string): number | undefined;
}

/**
 * An exponential average over batches, `m += (1 - (1 - smoothing)^images) (ms / images - m)`: a batch of n counts as n of one image.
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
