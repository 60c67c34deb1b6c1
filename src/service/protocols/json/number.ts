// the bytes of a JSON number → the float64 that JSON.parse returns for it.

/** Longer numbers are refused. The longest that JSON.stringify writes has 25 characters. */
export const maxNumberBytes = 1024;

const [zero, nine, minus, plus, dot, upperE, lowerE] = [0x30, 0x39, 0x2d, 0x2b, 0x2e, 0x45, 0x65];

/** Powers of ten that a float64 holds exactly. */
const powers = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** The first part of the digits has at most 15 of them, the second one four: both are exact, and so are their products. */
const leastFull = 1e14;
const moreDigits = 4;

/** Scans one number after the other; `end` is where the last one ended, or where it is wrong. */
export class NumberScanner {
  end = 0;
  /** Digits without the point: high * 10^lowDigits + low. */
  #high = 0;
  #low = 0;
  #lowDigits = 0;
  /** Digits that neither part has room for. */
  #isLong = false;

  /** @param until the end of the text. @returns NaN if the bytes at `start` are no JSON number. */
  scan(bytes: Buffer, start: number, until: number): number {
    const stop = Math.min(until, start + maxNumberBytes + 1);
    const isNegative = bytes[start] === minus;
    const first = isNegative ? start + 1 : start;
    this.#high = 0;
    this.#low = 0;
    this.#lowDigits = 0;
    this.#isLong = false;
    // After a leading zero the digits end.
    let at = bytes[first] === zero && first < stop ? first + 1 : this.#digits(bytes, first, stop);
    if (at === first) return this.#wrong(at);
    let fraction = 0;
    if (at < stop && bytes[at] === dot) {
      const point = at + 1;
      at = this.#digits(bytes, point, stop);
      if (at === point) return this.#wrong(at);
      fraction = at - point;
    }
    let exponent = 0;
    if (at < stop && (bytes[at] === lowerE || bytes[at] === upperE)) {
      exponent = this.#exponent(bytes, at + 1, stop);
      if (Number.isNaN(exponent)) return Number.NaN;
      at = this.end;
    }
    this.end = at;
    const value = this.#isLong ? Number.NaN : this.#value(fraction - exponent);
    if (Number.isNaN(value)) return Number(bytes.toString('latin1', start, at));
    return isNegative ? -value : value;
  }

  #wrong(at: number): number {
    this.end = at;
    return Number.NaN;
  }

  #digits(bytes: Buffer, start: number, stop: number): number {
    let at = start;
    let high = this.#high;
    for (; at < stop; at++) {
      const byte = bytes[at] as number;
      if (byte < zero || byte > nine) break;
      if (high < leastFull) high = high * 10 + byte - zero;
      else if (this.#lowDigits < moreDigits) {
        this.#low = this.#low * 10 + byte - zero;
        this.#lowDigits++;
      } else this.#isLong = true;
    }
    this.#high = high;
    return at;
  }

  #exponent(bytes: Buffer, start: number, stop: number): number {
    const sign = start < stop ? bytes[start] : undefined;
    const first = sign === minus || sign === plus ? start + 1 : start;
    let [at, value] = [first, 0];
    for (; at < stop; at++) {
      const byte = bytes[at] as number;
      if (byte < zero || byte > nine) break;
      // A float64 has no exponent of that size.
      if (value < 10_000) value = value * 10 + byte - zero;
    }
    this.end = at;
    if (at === first) return Number.NaN;
    return sign === minus ? -value : value;
  }

  /** Returns the digits divided by 10^scale, rounded once; NaN if that needs more precise arithmetic. */
  #value(scale: number): number {
    if (this.#high === 0) return 0;
    if (scale < -22 || scale > 22) return Number.NaN;
    if (this.#lowDigits > 0) return this.#divide(scale);
    return scale < 0 ? this.#high * (powers[-scale] as number) : this.#high / (powers[scale] as number);
  }

  /**
   * The digits are m + rest, each a float64, and their sum is exact. q = m / t is rounded, and its exact remainder is m - q * t (Dekker's
   * product). The quotient is q + (m - q * t + rest) / t, where the second part has a relative error far below 2^-40. NaN if that
   * error can change the rounding of the sum.
   */
  #divide(scale: number): number {
    if (scale < 0) return Number.NaN;
    const t = powers[scale] as number;
    const shift = powers[this.#lowDigits] as number;
    const upper = Math.floor(this.#high / 2 ** 26);
    const large = upper * shift * 2 ** 26;
    const small = (this.#high - upper * 2 ** 26) * shift + this.#low;
    const m = large + small;
    const rest = small - (m - large);
    const q = m / t;
    const second = (remainder(m, q, t) + rest) / t;
    const value = q + second * (1 + 2 ** -40);
    return value === q + second * (1 - 2 ** -40) ? value : Number.NaN;
  }
}

/** Returns m - q * t exactly, where q is the rounded m / t. */
function remainder(m: number, q: number, t: number): number {
  const product = q * t;
  const qSplit = q * (2 ** 27 + 1);
  const qHigh = qSplit - (qSplit - q);
  const qLow = q - qHigh;
  const tSplit = t * (2 ** 27 + 1);
  const tHigh = tSplit - (tSplit - t);
  const tLow = t - tHigh;
  const error = qHigh * tHigh - product + qHigh * tLow + qLow * tHigh + qLow * tLow;
  return m - product - error;
}
