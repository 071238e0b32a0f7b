/** From a value to its place on an axis, in px. */
export type Scale = (value: number) => number;

type Interval = readonly [low: number, high: number];

export function linearScale([low, high]: Interval, [from, to]: Interval): Scale {
  return (value) => from + ((value - low) / (high - low)) * (to - from);
}

/** @param domain both above 0 */
export function logScale([low, high]: Interval, range: Interval): Scale {
  const scale = linearScale([Math.log(low), Math.log(high)], range);
  return (value) => scale(Math.log(value));
}

/** Round values between low and high: multiples of 1, 2 or 5 times a power of ten. @param most about so many */
export function linearTicks([low, high]: Interval, most: number): number[] {
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough * 0.999) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** 1, 2 and 5 times the powers of ten between low and high; where these are fewer than three, evenly spaced values. */
export function logTicks([low, high]: Interval): number[] {
  const first = Math.floor(Math.log10(low));
  const powers = Array.from({ length: Math.ceil(Math.log10(high)) - first + 1 }, (_, i) => 10 ** (first + i));
  const round = powers
    .flatMap((power) => [power, 2 * power, 5 * power])
    .map((tick) => Number(tick.toPrecision(12)))
    .filter((tick) => tick >= low && tick <= high);
  return round.length >= 3 ? round : linearTicks([low, high], 4);
}

/** Three digits at most, with a minus sign rather than a hyphen: `−1.25`, `0.4`, `12`. */
export function formatValue(value: number): string {
  const rounded = Math.abs(value) < 0.0005 ? 0 : Number(value.toPrecision(3));
  return String(rounded).replace('-', '−');
}

/** How many values fall into each of some bins of equal width on a logarithmic axis; those outside count in the first or last. */
export function countOnLogAxis(values: ArrayLike<number>, domain: Interval, bins: number): number[] {
  const binOf = logScale(domain, [0, bins]);
  const counts = new Array<number>(bins).fill(0);
  for (let i = 0; i < values.length; i++) {
    counts[Math.min(bins - 1, Math.max(0, Math.floor(binOf(values[i]!))))]! += 1;
  }
  return counts;
}

/** @param values at least one; the lower median where there are two */
export function spreadOf(values: Float32Array) {
  const sorted = values.slice().sort();
  return { low: sorted[0]!, median: sorted[(sorted.length - 1) >> 1]!, high: sorted[sorted.length - 1]! };
}

/** An axis that holds all values with some air, and spans at least a factor of two. */
export function logDomain(low: number, high: number): Interval {
  const air = Math.max(1.08, Math.sqrt((2 * low) / high));
  return [low / air, high * air];
}
