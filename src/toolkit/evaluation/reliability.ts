// A model's confidences and whether it was right → a reliability curve and the expected calibration error.

interface ReliabilityBin {
  /** The bin holds confidences above `from` up to `to`; the first bin also holds 0. */
  readonly from: number;
  readonly to: number;
  readonly images: number;
  /** Means over the bin's images; 0 if there are none. */
  readonly confidence: number;
  readonly accuracy: number;
}

export interface Reliability {
  readonly bins: readonly ReliabilityBin[];
  /** `Σ images_b / images · |accuracy_b - confidence_b|` (Guo et al. 2017, https://arxiv.org/abs/1706.04599). */
  readonly expectedCalibrationError: number;
}

/**
 * Compares confidences with accuracy.
 * @param confidences confidence of the answer to each image, 0…1.
 * @param right 1 for each right answer, 0 for each wrong one.
 * @param binCount number of bins of equal width.
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
