// Right answers and images → the 95 % confidence interval of the accuracy.

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** 95 % of the standard normal distribution lies between -z and z. simple-statistics' probit is off by 3e-3 here. */
const z = 1.959963984540054;

/**
 * Wilson's score interval: `(p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n)`. It stays in 0…1 even if all answers are right.
 * https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval#Wilson_score_interval
 */
export function wilsonInterval(right: number, count: number): Interval {
  const [p, z2] = [right / count, z * z];
  const middle = p + z2 / (2 * count);
  const reach = z * Math.sqrt((p * (1 - p)) / count + z2 / (4 * count * count));
  const scale = 1 + z2 / count;
  return { low: Math.max(0, (middle - reach) / scale), high: Math.min(1, (middle + reach) / scale) };
}
