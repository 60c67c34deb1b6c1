// Step → learning rate.

export type Schedule =
  | { readonly kind: 'constant' }
  /** Half a cosine from the learning rate down to 0 at the last step (Loshchilov and Hutter, 2017, eq. 5). */
  | { readonly kind: 'cosine' };

/** @param step from 0 on, out of `steps`. */
export function learningRateAt(
  schedule: Schedule,
  learningRate: number,
  step: number,
  steps: number,
): number {
  switch (schedule.kind) {
    case 'constant':
      return learningRate;
    case 'cosine':
      return (learningRate * (1 + Math.cos((Math.PI * step) / steps))) / 2;
  }
}
