// How sure a model was and whether it was right → a reliability curve and the expected calibration error.

export interface ReliabilityBin {
  /** Confidences above `from` up to `to`; the first takes 0 too. */
  readonly from: number;
  readonly to: number;
  readonly images: number;
  /** Means over its images; 0 where there are none. */
  readonly confidence: number;
  readonly accuracy: number;
}

export interface Reliability {
  readonly bins: readonly ReliabilityBin[];
  /** `Σ images_b / images · |accuracy_b - confidence_b|` (Guo et al. 2017, https://arxiv.org/abs/1706.04599). */
  readonly expectedCalibrationError: number;
}

/**
 * @param confidences of the answer to each image, 0…1.
 * @param right 1 where the answer was right.
 * @param binCount bins of equal width.
 */
export function reliability(
  confidences: ArrayLike<number>,
  right: ArrayLike<number>,
  binCount = 15,
): Reliability {
  const sums = Array.from({ length: binCount }, () => ({ images: 0, confidence: 0, right: 0 }));
  for (let i = 0; i < confidences.length; i++) {
    const confidence = confidences[i] ?? 0;
    const bin = sums[Math.min(binCount - 1, Math.max(0, Math.ceil(confidence * binCount) - 1))];
    if (!bin) continue;
    bin.images++;
    bin.confidence += confidence;
    bin.right += right[i] ?? 0;
  }
  const bins = sums.map(({ images, ...sum }, i) => ({
    from: i / binCount,
    to: (i + 1) / binCount,
    images,
    confidence: images === 0 ? 0 : sum.confidence / images,
    accuracy: images === 0 ? 0 : sum.right / images,
  }));
  const expectedCalibrationError = bins.reduce(
    (sum, bin) => sum + (bin.images / confidences.length) * Math.abs(bin.accuracy - bin.confidence),
    0,
  );
  return { bins, expectedCalibrationError };
}
